package io.github.grpcresilience.internal.admission;

import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;

/**
 * How long callers that were refused shall wait. Those that are refused together shall
 * not come back together, so each is told another time.
 */
final class RetryDelay {

	/** Shorter waits only bring back all callers at once. */
	static final long LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

	private final DoubleSupplier random;

	/**
	 * Spreads by chance.
	 * @param random numbers from 0 to below 1
	 */
	RetryDelay(DoubleSupplier random) {
		this.random = random;
	}

	/**
	 * A wait of one to two times what makes sense at the earliest.
	 * @param earliestNanos when trying again makes sense at the earliest, 0 or more
	 */
	long ofNanos(long earliestNanos) {
		long least = Math.max(LEAST_NANOS, earliestNanos);
		return least + (long) (least * this.random.getAsDouble());
	}

}
