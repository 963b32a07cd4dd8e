package io.github.grpcresilience.sample.inventory;

import java.util.concurrent.TimeUnit;

/**
 * Keeps H2 busy inside a statement. H2 looks for a cancellation only between rows, so the
 * time is cut into slices of 0.1 ms, one a row.
 */
public final class BusyDatabase {

	static final long SLICES_PER_MILLI = 10;

	private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(1) / SLICES_PER_MILLI;

	private BusyDatabase() {
	}

	/**
	 * Spins for one slice, or for what is left until the end. H2 calls it as
	 * {@code spin_until}.
	 * @param end when the statement shall be done, as {@link System#nanoTime()}
	 * @return always zero
	 */
	public static int spinUntil(long end) {
		long now = System.nanoTime();
		long until = now + Math.min(SLICE_NANOS, end - now);
		while (System.nanoTime() - until < 0) {
			Thread.onSpinWait();
		}
		return 0;
	}

}
