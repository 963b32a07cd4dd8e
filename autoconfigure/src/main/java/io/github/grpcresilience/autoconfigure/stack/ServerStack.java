package io.github.grpcresilience.autoconfigure.stack;

import java.time.Duration;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.policy.Side;

/**
 * The server's side of a stack. Safe for concurrent use.
 *
 * @param properties what the stack's own properties say of connections
 * @param shutdownGraceProperty where it is set after which time the stack cuts calls
 * @param grace that time, negative for never; {@code null} if it has none
 */
public record ServerStack(StackProperties properties, String shutdownGraceProperty,
		Supplier<@Nullable Duration> grace) implements GrpcResilienceStack {

	@Override
	public Side side() {
		return Side.SERVER;
	}

	@Override
	public StackProperties connection(@Nullable String client) {
		return this.properties;
	}

	@Override
	public @Nullable Duration shutdownGrace() {
		return this.grace.get();
	}

}
