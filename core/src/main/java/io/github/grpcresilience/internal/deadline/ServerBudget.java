package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.TimeUnit;

import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.policy.DeadlinePolicy;
import io.github.grpcresilience.policy.MissingDeadline;

/**
 * What a call that is served may take, in nanoseconds from its arrival. Plain numbers,
 * since every call asks.
 */
final class ServerBudget {

	static final long UNLIMITED = DeadlinePolicy.UNLIMITED;

	private ServerBudget() {
	}

	/**
	 * What the caller said.
	 * @param sent the caller's deadline; {@code null} for none
	 * @param queuedNanos how long the call waited for its executor
	 */
	static long sent(@Nullable Deadline sent, long queuedNanos) {
		return (sent != null) ? plus(sent.timeRemaining(TimeUnit.NANOSECONDS), queuedNanos) : UNLIMITED;
	}

	/**
	 * What the policy makes of it.
	 */
	static long of(DeadlinePolicy policy, @Nullable Deadline sent, long sentNanos) {
		if (sent != null) {
			return Math.min(sentNanos, policy.maxNanos());
		}
		return (policy.missing() == MissingDeadline.DEFAULT) ? policy.defaultNanos() : UNLIMITED;
	}

	/**
	 * Whether a call is refused, since its caller has to say how long it may take.
	 */
	static boolean isRejected(DeadlinePolicy policy, @Nullable Deadline sent) {
		return sent == null && policy.missing() == MissingDeadline.REJECT;
	}

	/**
	 * How long before the deadline a call is answered: before its caller's own, which may
	 * end earlier than its caller said.
	 * @param own whether the deadline is the caller's own
	 */
	static long marginNanos(DeadlinePolicy policy, long budget, boolean own) {
		long margin = policy.allowance().ofNanos(budget);
		return (own && margin > 0) ? margin + GrpcTimeout.roundedUpByNanos(budget) : margin;
	}

	private static long plus(long remaining, long queued) {
		return (remaining < UNLIMITED - queued) ? remaining + queued : UNLIMITED;
	}

}
