package io.github.grpcresilience.internal.policy;

import java.time.Duration;

import io.github.grpcresilience.policy.MissingDeadline;

/**
 * Deadlines of one method on one side. Immutable.
 *
 * @param missing what happens to a call without a deadline
 * @param defaultNanos budget of a call without a deadline where {@code missing} is
 * {@code DEFAULT}, in nanoseconds, positive and at most {@code maxNanos}
 * @param maxNanos longest budget of a call in nanoseconds, positive; {@link #UNLIMITED}
 * for no bound. A longer deadline is shortened, none is ever extended
 * @param allowance on the server how long before the deadline the call is answered, on
 * the client what is held back of an inherited budget
 */
public record DeadlinePolicy(MissingDeadline missing, long defaultNanos, long maxNanos, Allowance allowance) {

	/** No bound. */
	public static final long UNLIMITED = Long.MAX_VALUE;

	/**
	 * Checks the ranges.
	 * @throws IllegalArgumentException if a value is out of its range
	 */
	public DeadlinePolicy {
		if (defaultNanos <= 0 || maxNanos <= 0 || defaultNanos > maxNanos) {
			throw new IllegalArgumentException("must be 0 < default " + defaultNanos + " <= max " + maxNanos);
		}
	}

	/**
	 * A time as policies hold it.
	 * @param duration the time
	 * @return nanoseconds; {@link #UNLIMITED} if they are too many
	 */
	public static long nanos(Duration duration) {
		return (duration.toSeconds() < UNLIMITED / 1_000_000_000L) ? duration.toNanos() : UNLIMITED;
	}

}
