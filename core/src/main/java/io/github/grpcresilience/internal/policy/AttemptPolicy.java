package io.github.grpcresilience.internal.policy;

import java.util.Set;

import io.grpc.Status;

import io.github.grpcresilience.policy.HedgeDelay;

/**
 * How often a call of one method may be attempted, and when. Immutable.
 */
public sealed interface AttemptPolicy {

	/** One attempt. */
	AttemptPolicy ONCE = new Once();

	/** There is no timeout of a single attempt. */
	long NO_TIMEOUT = Long.MAX_VALUE;

	/**
	 * Most attempts of one call, the first included.
	 * @return the number, at least one
	 */
	int maxAttempts();

	/**
	 * A call is attempted once.
	 */
	record Once() implements AttemptPolicy {

		@Override
		public int maxAttempts() {
			return 1;
		}

	}

	/**
	 * A failed attempt is followed by another one after a wait.
	 *
	 * @param maxAttempts most attempts of one call, the first included
	 * @param retryable codes after which there is another attempt
	 * @param initialBackoffNanos wait before the second attempt, in nanoseconds, positive
	 * @param maxBackoffNanos longest wait, in nanoseconds, at least the initial one
	 * @param multiplier factor from one wait to the next, at least 1
	 * @param jitter share by which a wait is lengthened or shortened at random, 0 to 1
	 * @param attemptTimeoutNanos longest time that one attempt may take, in nanoseconds;
	 * {@link #NO_TIMEOUT} for no bound but the deadline of the call
	 */
	record Retry(int maxAttempts, Set<Status.Code> retryable, long initialBackoffNanos, long maxBackoffNanos,
			double multiplier, double jitter, long attemptTimeoutNanos) implements AttemptPolicy {

		/**
		 * Copies the codes.
		 */
		public Retry {
			retryable = Set.copyOf(retryable);
		}

	}

	/**
	 * While an attempt takes long, another one is made beside it.
	 *
	 * @param maxAttempts most attempts of one call, the first included
	 * @param delay how long an attempt may take before the next one is made
	 * @param nonFatal codes after which the next attempt is made at once; any other
	 * failure ends the call
	 */
	record Hedge(int maxAttempts, HedgeDelay delay, Set<Status.Code> nonFatal) implements AttemptPolicy {

		/**
		 * Copies the codes.
		 */
		public Hedge {
			nonFatal = Set.copyOf(nonFatal);
		}

	}

}
