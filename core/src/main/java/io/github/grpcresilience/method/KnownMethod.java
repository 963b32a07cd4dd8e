package io.github.grpcresilience.method;

import io.grpc.MethodDescriptor.MethodType;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.CallCounts;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.AnswerTrimmed;
import io.github.grpcresilience.event.ResilienceEvent.CallEnded;
import io.github.grpcresilience.event.ResilienceEvent.StreamWithoutDeadline;
import io.github.grpcresilience.event.ResilienceEvent.UnhandledError;
import io.github.grpcresilience.policy.MethodPolicy;
import io.github.grpcresilience.policy.Side;
import io.github.grpcresilience.status.Reason;

/**
 * A method with its policy and its counts, on one side. Safe for concurrent use.
 */
public final class KnownMethod {

	private final Side side;

	private final String name;

	private final MethodType type;

	private final @Nullable String client;

	private final MethodPolicy policy;

	private final EventSink events;

	private final @Nullable AttemptGate gate;

	private final CallCounts counts = new CallCounts();

	KnownMethod(Side side, String name, MethodType type, @Nullable String client, MethodPolicy policy,
			@Nullable AttemptGate gate, EventSink events) {
		this.side = side;
		this.name = name;
		this.type = type;
		this.client = client;
		this.policy = policy;
		this.gate = gate;
		this.events = events;
	}

	/**
	 * Full name.
	 * @return {@code package.Service/Method}
	 */
	public String name() {
		return this.name;
	}

	/**
	 * Shape of the calls.
	 * @return the type
	 */
	public MethodType type() {
		return this.type;
	}

	/**
	 * Client that makes the calls.
	 * @return its name; {@code null} on the server side
	 */
	public @Nullable String client() {
		return this.client;
	}

	/**
	 * What is asked of the method.
	 * @return the policy
	 */
	public MethodPolicy policy() {
		return this.policy;
	}

	/**
	 * What stands between the attempts of the method and the network.
	 * @return the gate; {@code null} if there is none, and always on the server side
	 */
	public @Nullable AttemptGate gate() {
		return this.gate;
	}

	/**
	 * Live counts.
	 * @return the counts
	 */
	public CallCounts counts() {
		return this.counts;
	}

	/**
	 * Counts and tells that a call was ended or refused.
	 * @param reason why
	 * @param enforced {@code false} if only observed
	 */
	public void decided(Reason reason, boolean enforced) {
		this.counts.decided(reason);
		this.events.accept(new CallEnded(this.side, this.name, this.client, reason, enforced));
	}

	/**
	 * Tells that a call failed in a way that nobody has an answer for.
	 * @param thrown what was thrown
	 * @param id what the caller was told to ask for
	 */
	public void failed(Throwable thrown, String id) {
		decided(Reason.INTERNAL, true);
		this.events.accept(new UnhandledError(this.side, this.name, this.client, thrown, id));
	}

	/**
	 * Tells that an answer had to be cut, since it would have broken the connection.
	 */
	public void trimmed() {
		this.events.accept(new AnswerTrimmed(this.side, this.name, this.client));
	}

	/**
	 * Tells, once per method, that a stream runs without a deadline.
	 */
	public void runsWithoutDeadline() {
		if (this.type != MethodType.UNARY && this.counts.isFirstStreamWithoutDeadline()) {
			this.events.accept(new StreamWithoutDeadline(this.side, this.name, this.client));
		}
	}

}
