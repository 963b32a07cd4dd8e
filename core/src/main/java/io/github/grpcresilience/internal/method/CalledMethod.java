package io.github.grpcresilience.internal.method;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

import io.grpc.MethodDescriptor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.AttemptsEnded;
import io.github.grpcresilience.event.ResilienceEvent.AttemptsOfChannel;
import io.github.grpcresilience.event.ResilienceEvent.LateFinding;
import io.github.grpcresilience.internal.event.AttemptCounts;
import io.github.grpcresilience.internal.policy.AttemptPolicy;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.CalledMethodPolicy;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;

/**
 * A method that one client calls.
 */
public final class CalledMethod extends KnownMethod {

	/** What the finding of that name says. */
	public static final String KEEPALIVE_REJECTED = "the server has closed a connection since it was asked too often"
			+ " whether it lives (too_many_pings)";

	/** What to do about it. */
	public static final String KEEPALIVE_REMEDY = "raise connection.keepalive.time of the client, or lower"
			+ " connection.keepalive.permit-time of the server";

	private final String client;

	private final CalledMethodPolicy policy;

	private final @Nullable AttemptGate gate;

	private final Map<String, Setting<?>> settings;

	private final AttemptPolicy attempts;

	private final AttemptCounts attemptCounts = new AttemptCounts();

	private final AtomicBoolean attemptedByChannel = new AtomicBoolean();

	private final AtomicBoolean keepaliveRejected = new AtomicBoolean();

	/** Never taken back. */
	private volatile boolean calledByNobody;

	/** Never taken back. */
	private volatile boolean calledForUnboundedRequest;

	CalledMethod(MethodDescriptor<?, ?> method, String client, CalledMethodPolicy policy, @Nullable AttemptGate gate,
			EventSink events) {
		super(Side.CLIENT, method, client, events);
		this.client = client;
		this.policy = policy;
		this.gate = gate;
		this.settings = (method.isIdempotent() || method.isSafe()) ? withProto(policy.settings()) : policy.settings();
		Setting<?> repeatable = this.settings.get(AttemptSettings.IDEMPOTENT.name());
		boolean repeats = repeatable != null && Boolean.TRUE.equals(repeatable.value());
		this.attempts = (repeats && method.getType().clientSendsOneMessage()) ? policy.attempts() : AttemptPolicy.ONCE;
	}

	/**
	 * What the proto says holds where no policy says otherwise.
	 */
	private static Map<String, Setting<?>> withProto(Map<String, Setting<?>> settings) {
		String name = AttemptSettings.IDEMPOTENT.name();
		Setting<?> own = settings.get(name);
		if (own == null || !own.origin().isBuiltIn()) {
			return settings;
		}
		Map<String, Setting<?>> told = new HashMap<>(settings);
		told.put(name, new Setting<>(true, new Origin(own.origin().property(), "proto")));
		return Map.copyOf(told);
	}

	@Override
	public CalledMethodPolicy policy() {
		return this.policy;
	}

	@Override
	public Map<String, Setting<?>> settings() {
		return this.settings;
	}

	/**
	 * Client that makes the calls.
	 * @return its name
	 */
	public String client() {
		return this.client;
	}

	/**
	 * What stands between the attempts of the method and the network.
	 * @return the gate; {@code null} if there is none
	 */
	public @Nullable AttemptGate gate() {
		return this.gate;
	}

	/**
	 * How often a call is attempted: as the policy says, if the method is known to be
	 * idempotent and its calls have one request message.
	 * @return the policy; {@code ONCE} otherwise
	 */
	public AttemptPolicy attempts() {
		return this.attempts;
	}

	/**
	 * Whether the policy asks for attempts that are not made, because nobody says that
	 * the method is idempotent.
	 * @return {@code true} if calls are made once for that reason
	 */
	public boolean isHeldToOneAttempt() {
		return type().clientSendsOneMessage() && !this.policy.attempts().equals(AttemptPolicy.ONCE)
				&& this.attempts.equals(AttemptPolicy.ONCE);
	}

	/**
	 * Live counts of further attempts.
	 * @return the counts
	 */
	public AttemptCounts attemptCounts() {
		return this.attemptCounts;
	}

	/**
	 * Counts and tells that a failed call is not attempted again.
	 * @param end why
	 */
	public void attemptsEnded(AttemptEnd end) {
		this.attemptCounts.ended(end);
		events().accept(new AttemptsEnded(Side.CLIENT, name(), this.client, end));
	}

	/**
	 * Leaves attempts to the channel, which makes them itself; tells so when that begins.
	 */
	public void leaveAttemptsToChannel() {
		if (!this.attemptedByChannel.get() && this.attemptedByChannel.compareAndSet(false, true)) {
			events().accept(new AttemptsOfChannel(Side.CLIENT, name(), this.client));
		}
	}

	/**
	 * Makes attempts here again: the channel was seen to make none where it would have.
	 */
	public void takeAttemptsBack() {
		this.attemptedByChannel.set(false);
	}

	/**
	 * Whether attempts are left to the channel.
	 * @return {@code true} once it was seen to make them, until it is seen to make none
	 */
	public boolean isAttemptedByChannel() {
		return this.attemptedByChannel.get();
	}

	/**
	 * Notes that a connection was closed because the server had been asked too often
	 * whether it lives; tells so the first time.
	 */
	public void keepaliveRejected() {
		if (this.keepaliveRejected.compareAndSet(false, true)) {
			events().accept(new LateFinding(Side.CLIENT, name(), this.client, "KEEPALIVE_REJECTED", KEEPALIVE_REJECTED,
					KEEPALIVE_REMEDY));
		}
	}

	/**
	 * Whether the server was asked too often whether it lives.
	 * @return {@code true} once it has said so
	 */
	public boolean isKeepaliveRejected() {
		return this.keepaliveRejected.get();
	}

	/**
	 * Notes that a task has called the method which a call began, and which belongs to no
	 * call.
	 */
	public void calledByNobody() {
		if (!this.calledByNobody) {
			this.calledByNobody = true;
		}
	}

	/**
	 * Whether tasks that belong to no call have called the method, although a call began
	 * them.
	 * @return {@code true} once one has
	 */
	public boolean isCalledByNobody() {
		return this.calledByNobody;
	}

	/**
	 * Notes that the method was called for a request of another protocol, which has no
	 * budget.
	 */
	public void calledForUnboundedRequest() {
		if (!this.calledForUnboundedRequest) {
			this.calledForUnboundedRequest = true;
		}
	}

	/**
	 * Whether the method was called for a request of another protocol that has no budget.
	 * @return {@code true} once it was
	 */
	public boolean isCalledForUnboundedRequest() {
		return this.calledForUnboundedRequest;
	}

}
