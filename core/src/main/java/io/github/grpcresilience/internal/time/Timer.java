package io.github.grpcresilience.internal.time;

import io.grpc.Deadline;

/**
 * Runs actions later. Safe for concurrent use.
 */
public interface Timer {

	/**
	 * Hands the action over to an executor once the delay has passed.
	 * @param delayNanos delay in nanoseconds; zero or less means at once
	 * @param action what to do; never runs on the caller's thread, nor on the timer's
	 * @return handle to cancel the action with
	 */
	Timeout schedule(long delayNanos, Runnable action);

	/**
	 * Hands the action over to an executor at a time. Needs no look at the clock where
	 * the timer has the same one.
	 * @param atNanos the time as the ticker says it
	 * @param ticker source of the time
	 * @param action what to do; never runs on the caller's thread, nor on the timer's
	 * @return handle to cancel the action with
	 */
	default Timeout scheduleAt(long atNanos, Deadline.Ticker ticker, Runnable action) {
		return schedule(atNanos - ticker.nanoTime(), action);
	}

	/**
	 * A timer whose time never comes.
	 * @return a timer that keeps nothing
	 */
	static Timer never() {
		return (delayNanos, action) -> new Timeout(Long.MAX_VALUE, action);
	}

}
