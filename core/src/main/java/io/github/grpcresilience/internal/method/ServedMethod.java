package io.github.grpcresilience.internal.method;

import java.util.Map;

import io.grpc.MethodDescriptor;

import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.AnswerTrimmed;
import io.github.grpcresilience.event.ResilienceEvent.UnhandledError;
import io.github.grpcresilience.internal.policy.ServedMethodPolicy;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.status.Reason;

/**
 * A method that a server serves.
 */
public final class ServedMethod extends KnownMethod {

	private final ServedMethodPolicy policy;

	ServedMethod(MethodDescriptor<?, ?> method, ServedMethodPolicy policy, EventSink events) {
		super(Side.SERVER, method, null, events);
		this.policy = policy;
	}

	@Override
	public ServedMethodPolicy policy() {
		return this.policy;
	}

	@Override
	public Map<String, Setting<?>> settings() {
		return this.policy.settings();
	}

	/**
	 * Tells that a call failed in a way that nobody has an answer for.
	 * @param thrown what was thrown
	 * @param id what the caller was told to ask for
	 */
	public void failed(Throwable thrown, String id) {
		decided(Reason.INTERNAL, true);
		events().accept(new UnhandledError(Side.SERVER, name(), null, thrown, id));
	}

	/**
	 * Tells that an answer had to be cut, since it would have broken the connection.
	 */
	public void trimmed() {
		events().accept(new AnswerTrimmed(Side.SERVER, name(), null));
	}

}
