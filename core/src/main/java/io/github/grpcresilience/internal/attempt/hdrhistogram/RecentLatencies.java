package io.github.grpcresilience.internal.attempt.hdrhistogram;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import io.grpc.Deadline;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.attempt.Latencies;

/**
 * Latencies of the last ten seconds, in slices of one. Calls record without a lock; once
 * a second one of them adds a slice up and says what the others read.
 */
public final class RecentLatencies implements Latencies {

	/** With fewer calls a high percentile is one call's bad luck. */
	static final int LEAST_CALLS = 100;

	/** Below it a second attempt is noise: timers and networks are no finer. */
	private static final long FLOOR_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

	private static final long SLICE_NANOS = TimeUnit.SECONDS.toNanos(1);

	private static final int SLICES = 10;

	private static final long MOST_MICROS = TimeUnit.HOURS.toMicros(1);

	private static final int DIGITS = 2;

	private final double percentile;

	private final Deadline.Ticker ticker;

	private final Recorder recorder = new Recorder(MOST_MICROS, DIGITS);

	/** Whoever moves it on adds up. */
	private final AtomicLong nextSliceNanos;

	/** Guarded by the monitor of this object. */
	private final Histogram[] slices = new Histogram[SLICES];

	/** Guarded by the monitor of this object. */
	private final Histogram sum = new Histogram(MOST_MICROS, DIGITS);

	/** Guarded by the monitor of this object. */
	private int slice;

	private volatile long known = Long.MAX_VALUE;

	/**
	 * Starts without any call.
	 * @param percentile share of the calls, above 0 and below 100
	 * @param ticker source of time
	 */
	public RecentLatencies(double percentile, Deadline.Ticker ticker) {
		this.percentile = percentile;
		this.ticker = ticker;
		this.nextSliceNanos = new AtomicLong(ticker.nanoTime() + SLICE_NANOS);
	}

	@Override
	public void record(long nanos) {
		this.recorder.recordValue(Math.min(MOST_MICROS, Math.max(1, TimeUnit.NANOSECONDS.toMicros(nanos))));
	}

	@Override
	public long percentileNanos() {
		long now = this.ticker.nanoTime();
		long next = this.nextSliceNanos.get();
		if (now - next >= 0 && this.nextSliceNanos.compareAndSet(next, now + SLICE_NANOS)) {
			addUp((now - next) / SLICE_NANOS);
		}
		return this.known;
	}

	/**
	 * Ends the slice that was recorded into.
	 * @param missed slices in which nobody asked
	 */
	private synchronized void addUp(long missed) {
		for (long i = 0; i < Math.min(missed, SLICES); i++) {
			put(null);
		}
		put(this.recorder.getIntervalHistogram());
		long count = this.sum.getTotalCount();
		long micros = this.sum.getValueAtPercentile(this.percentile);
		this.known = (count >= LEAST_CALLS) ? Math.max(FLOOR_NANOS, TimeUnit.MICROSECONDS.toNanos(micros))
				: Long.MAX_VALUE;
	}

	private void put(@Nullable Histogram added) {
		Histogram oldest = this.slices[this.slice];
		if (oldest != null) {
			this.sum.subtract(oldest);
		}
		if (added != null) {
			this.sum.add(added);
		}
		this.slices[this.slice] = added;
		this.slice = (this.slice + 1) % SLICES;
	}

}
