package io.github.grpcresilience.internal.method;

import java.util.Map;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.CallEnded;
import io.github.grpcresilience.event.ResilienceEvent.StreamWithoutDeadline;
import io.github.grpcresilience.internal.event.CallCounts;
import io.github.grpcresilience.internal.policy.MethodPolicy;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.status.Reason;

/**
 * A method with its policy and its counts, on one side. Safe for concurrent use.
 */
public abstract sealed class KnownMethod permits ServedMethod, CalledMethod {

	private final Side side;

	private final String name;

	private final MethodType type;

	private final @Nullable String client;

	private final EventSink events;

	private final CallCounts counts = new CallCounts();

	KnownMethod(Side side, MethodDescriptor<?, ?> method, @Nullable String client, EventSink events) {
		this.side = side;
		this.name = method.getFullMethodName();
		this.type = method.getType();
		this.client = client;
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
	 * What is asked of the method.
	 * @return the policy
	 */
	public abstract MethodPolicy policy();

	/**
	 * Every value with its origin, by the name of the setting below its policy.
	 * @return the settings of the policy, and what the proto says
	 */
	public abstract Map<String, Setting<?>> settings();

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
	 * Tells, once per method, that a stream runs without a deadline.
	 */
	public void runsWithoutDeadline() {
		if (this.type != MethodType.UNARY && this.counts.isFirstStreamWithoutDeadline()) {
			this.events.accept(new StreamWithoutDeadline(this.side, this.name, this.client));
		}
	}

	EventSink events() {
		return this.events;
	}

}
