package io.github.grpcresilience.admission.netflix;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import com.netflix.concurrency.limits.limit.WindowedLimit;
import io.grpc.Deadline;

import io.github.grpcresilience.admission.AdaptiveLimit;
import io.github.grpcresilience.admission.AdaptiveLimits;

/**
 * Adaptive limits as TCP Vegas has them: a limit grows while calls take no longer than
 * they do on an idle server, and shrinks when they take so much longer that a queue must
 * have grown. Safe for concurrent use.
 */
public final class NetflixLimits implements AdaptiveLimits {

	/** What the algorithm begins with by itself. */
	static final int INITIAL = 20;

	/** What the algorithm never exceeds by itself. */
	static final int CEILING = 1000;

	private final Deadline.Ticker ticker;

	/**
	 * Measures with the system's clock.
	 */
	public NetflixLimits() {
		this(Deadline.getSystemTicker());
	}

	NetflixLimits(Deadline.Ticker ticker) {
		this.ticker = ticker;
	}

	@Override
	public AdaptiveLimit create(int ceiling) {
		int most = Math.min(ceiling, CEILING);
		return new Windowed(
				WindowedLimit.newBuilder()
					.build(VegasLimit.newBuilder().initialLimit(Math.min(INITIAL, most)).maxConcurrency(most).build()),
				this.ticker);
	}

	/**
	 * One limit. To the algorithm a single call that failed for want of time is a reason
	 * to shrink, so one caller with deadlines that nobody can keep would bring the limit
	 * of all others down to 1. Here it takes a share of the calls.
	 */
	private static final class Windowed implements AdaptiveLimit {

		private static final long WINDOW_NANOS = 1_000_000_000;

		/** One call in so many has to fail for want of time. */
		private static final int OVERLOADED_SHARE = 10;

		private static final int ENOUGH_CALLS = 10;

		private final Limit limit;

		private final Deadline.Ticker ticker;

		private final long createdNanos;

		private final AtomicLong windowEndsNanos = new AtomicLong(WINDOW_NANOS);

		private final AtomicInteger calls = new AtomicInteger();

		private final AtomicInteger overloadedCalls = new AtomicInteger();

		/** How long one of the calls took that were not cut off. */
		private volatile long lastNanos;

		Windowed(Limit limit, Deadline.Ticker ticker) {
			this.limit = limit;
			this.ticker = ticker;
			this.createdNanos = ticker.nanoTime();
		}

		@Override
		public int limit() {
			return this.limit.getLimit();
		}

		@Override
		public void ended(long tookNanos, int inUse, boolean overloaded) {
			// Counted from the creation: the library takes times for positive ones.
			long now = this.ticker.nanoTime() - this.createdNanos;
			turn(now);
			int all = this.calls.incrementAndGet();
			if (!overloaded) {
				this.lastNanos = tookNanos;
				this.limit.onSample(now - tookNanos, tookNanos, inUse, false);
			}
			else if (this.overloadedCalls.incrementAndGet() * OVERLOADED_SHARE >= all && all >= ENOUGH_CALLS) {
				// It would have taken longer than it was let.
				long took = Math.max(tookNanos, this.lastNanos);
				this.limit.onSample(now - took, took, inUse, true);
			}
		}

		private void turn(long now) {
			long ends = this.windowEndsNanos.get();
			if (now >= ends && this.windowEndsNanos.compareAndSet(ends, now + WINDOW_NANOS)) {
				this.calls.set(0);
				this.overloadedCalls.set(0);
			}
		}

	}

}
