package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.TimeUnit;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.status.PushBack;

/**
 * An attempt that has failed, as far as it matters for what follows. Immutable.
 *
 * @param code how it ended
 * @param timedOut whether its own timeout ended it
 * @param unsent whether it found no connection, so that no server has seen it
 * @param askedNanos least wait that the server asks for, in nanoseconds; zero for none,
 * {@link PushBack#STOP} for no further attempt
 * @param circuitOpen whether the client's own circuit breaker has refused it
 * @param refused whether the client's gate would refuse another one now
 * @param made attempts of the call so far, this one included
 * @param inFlight attempts of the call that go on beside it
 * @param channelRepeats whether the channel makes attempts itself
 * @param chained whether whoever waits for the call has itself been asked again
 * @param stopped why hedges have ended already; {@code null} as long as they have not
 * @param remainingNanos what is left of the deadline, in nanoseconds;
 * {@code Long.MAX_VALUE} without one
 * @param random from 0 to 1, for the jitter
 */
record FailedAttempt(Status.Code code, boolean timedOut, boolean unsent, long askedNanos, boolean circuitOpen,
		boolean refused, int made, int inFlight, boolean channelRepeats, boolean chained, @Nullable AttemptEnd stopped,
		long remainingNanos, double random) {

	private static final long MOST_WAIT_NANOS = TimeUnit.MINUTES.toNanos(1);

	/**
	 * Attempts of the call that count: those that a server may have seen.
	 */
	int counted() {
		return this.unsent ? this.made - 1 : this.made;
	}

	boolean isStopAsked() {
		return this.askedNanos == PushBack.STOP;
	}

	/**
	 * How long a wait may be: a call without a deadline does not sleep for hours because
	 * a server said so.
	 */
	long roomNanos() {
		return (this.remainingNanos != Long.MAX_VALUE) ? this.remainingNanos : MOST_WAIT_NANOS;
	}

}
