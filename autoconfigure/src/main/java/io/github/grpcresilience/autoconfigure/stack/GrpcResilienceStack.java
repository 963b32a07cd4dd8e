package io.github.grpcresilience.autoconfigure.stack;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.internal.policy.Side;

/**
 * One side of the library that serves or calls for the application, such as Spring Boot's
 * own gRPC, as far as findings ask for it. A bean of the glue that protects it; not for
 * applications. Safe for concurrent use.
 */
public interface GrpcResilienceStack {

	/**
	 * The side that is protected.
	 * @return the side
	 */
	Side side();

	/**
	 * Names of the clients that are configured.
	 * @return the names; empty on the server
	 */
	default Set<String> clients() {
		return Set.of();
	}

	/**
	 * Where clients get their names.
	 * @return what to do about a policy for a client that there is not
	 */
	default String clientRemedy() {
		return "correct the name";
	}

	/**
	 * What channels are configured to attempt again themselves.
	 * @return methods and services by the name of the client; an empty text is every
	 * method
	 */
	default Map<String, Set<String>> channelAttempts() {
		return Map.of();
	}

	/**
	 * What the stack's own properties say of connections.
	 * @param client name of the client; {@code null} for the server
	 * @return properties by the names of our settings
	 */
	default StackProperties connection(@Nullable String client) {
		return StackProperties.NONE;
	}

	/**
	 * Has the channel of a client made and learned, if the stack would else do so with
	 * the first call only.
	 * @param client name of a client that is configured
	 */
	default void connect(String client) {
	}

	/**
	 * After which time the stack cuts the calls of a server that it shuts down.
	 * @return the time, negative for never; {@code null} if it has no such time
	 */
	default @Nullable Duration shutdownGrace() {
		return null;
	}

	/**
	 * Where that time is set.
	 * @return the property; empty if there is none
	 */
	default String shutdownGraceProperty() {
		return "";
	}

	/**
	 * What else there is to tell.
	 * @return the findings of this moment
	 */
	default List<Finding> findings() {
		return List.of();
	}

}
