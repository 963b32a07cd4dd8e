package io.github.grpcresilience.internal.method;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

import io.grpc.MethodDescriptor.MethodType;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.AnswerTrimmed;
import io.github.grpcresilience.event.ResilienceEvent.AttemptsEnded;
import io.github.grpcresilience.event.ResilienceEvent.AttemptsOfChannel;
import io.github.grpcresilience.event.ResilienceEvent.CallEnded;
import io.github.grpcresilience.event.ResilienceEvent.StreamWithoutDeadline;
import io.github.grpcresilience.event.ResilienceEvent.UnhandledError;
import io.github.grpcresilience.internal.event.AttemptCounts;
import io.github.grpcresilience.internal.event.CallCounts;
import io.github.grpcresilience.internal.policy.AttemptPolicy;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.MethodPolicy;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;
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

	private final Map<String, Setting<?>> settings;

	private final AttemptPolicy attempts;

	private final AttemptCounts attemptCounts = new AttemptCounts();

	private final AtomicBoolean attemptedByChannel = new AtomicBoolean();

	/** Never taken back. */
	private volatile boolean calledByNobody;

	/** Never taken back. */
	private volatile boolean calledForUnboundedRequest;

	KnownMethod(Side side, String name, MethodType type, boolean idempotent, @Nullable String client,
			MethodPolicy policy, @Nullable AttemptGate gate, EventSink events) {
		this.side = side;
		this.name = name;
		this.type = type;
		this.client = client;
		this.policy = policy;
		this.gate = gate;
		this.events = events;
		this.settings = idempotent ? withProto(policy.settings()) : policy.settings();
		Setting<?> repeatable = this.settings.get(AttemptSettings.IDEMPOTENT.name());
		this.attempts = (type.clientSendsOneMessage() && repeatable != null && Boolean.TRUE.equals(repeatable.value()))
				? policy.attempts() : AttemptPolicy.ONCE;
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
	 * Every value with its origin, by the name of the setting below its policy.
	 * @return the settings of the policy, and what the proto says
	 */
	public Map<String, Setting<?>> settings() {
		return this.settings;
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
		return this.type.clientSendsOneMessage() && !this.policy.attempts().equals(AttemptPolicy.ONCE)
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
		this.events.accept(new AttemptsEnded(this.side, this.name, this.client, end));
	}

	/**
	 * Leaves attempts to the channel, which makes them itself; tells so the first time.
	 */
	public void leaveAttemptsToChannel() {
		if (!this.attemptedByChannel.get() && this.attemptedByChannel.compareAndSet(false, true)) {
			this.events.accept(new AttemptsOfChannel(this.side, this.name, this.client));
		}
	}

	/**
	 * Whether attempts are left to the channel.
	 * @return {@code true} once it was seen to make them
	 */
	public boolean isAttemptedByChannel() {
		return this.attemptedByChannel.get();
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

	/**
	 * Tells, once per method, that a stream runs without a deadline.
	 */
	public void runsWithoutDeadline() {
		if (this.type != MethodType.UNARY && this.counts.isFirstStreamWithoutDeadline()) {
			this.events.accept(new StreamWithoutDeadline(this.side, this.name, this.client));
		}
	}

}
