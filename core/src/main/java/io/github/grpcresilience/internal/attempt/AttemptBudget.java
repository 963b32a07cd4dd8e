package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.atomic.LongAdder;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Deadline;

import io.github.grpcresilience.internal.policy.AttemptBudgetPolicy;

/**
 * How many attempts the calls of one client may add: a share of its calls and a few a
 * second, kept for a while if they are not used. Calls do not contend; only further
 * attempts take a lock, for some additions. Safe for concurrent use.
 */
public final class AttemptBudget {

	private static final double NANOS = 1_000_000_000;

	private final AttemptBudgetPolicy policy;

	private final Deadline.Ticker ticker;

	private final LongAdder calls = new LongAdder();

	@GuardedBy("this")
	private double tokens;

	@GuardedBy("this")
	private long updatedNanos;

	@GuardedBy("this")
	private long seenCalls;

	/** Calls of the last window, as if they had come evenly. */
	@GuardedBy("this")
	private double windowCalls;

	@GuardedBy("this")
	private long taken;

	/**
	 * Starts with what the seconds of one window add.
	 * @param policy how much is added
	 * @param ticker source of time
	 */
	public AttemptBudget(AttemptBudgetPolicy policy, Deadline.Ticker ticker) {
		this.policy = policy;
		this.ticker = ticker;
		this.updatedNanos = ticker.nanoTime();
		this.tokens = floor();
	}

	private double floor() {
		return this.policy.minPerSecond() * this.policy.windowNanos() / NANOS;
	}

	/**
	 * A call was made.
	 */
	void called() {
		this.calls.increment();
	}

	/**
	 * Takes one attempt out of the budget.
	 * @return {@code false} if there is none
	 */
	synchronized boolean tryTake() {
		refill();
		if (this.tokens < 1) {
			return false;
		}
		this.tokens--;
		this.taken++;
		return true;
	}

	/**
	 * Puts an attempt back that was not made.
	 */
	synchronized void putBack() {
		this.tokens++;
		this.taken--;
	}

	@GuardedBy("this")
	private void refill() {
		long now = this.ticker.nanoTime();
		long elapsed = Math.max(0, now - this.updatedNanos);
		long sum = this.calls.sum();
		long fresh = sum - this.seenCalls;
		double windows = elapsed / (double) this.policy.windowNanos();
		this.windowCalls = this.windowCalls * Math.max(0, 1 - windows) + fresh / Math.max(1, windows);
		// One may always be kept: else a client of few calls could never save it up.
		double most = Math.max(1, floor() + this.policy.ratio() * this.windowCalls);
		this.tokens = Math.min(most,
				this.tokens + this.policy.ratio() * fresh + this.policy.minPerSecond() * elapsed / NANOS);
		this.seenCalls = sum;
		this.updatedNanos = now;
	}

	/**
	 * Attempts that were taken and not put back.
	 * @return the number since the start
	 */
	public synchronized long taken() {
		return this.taken;
	}

	/**
	 * Attempts that could be taken now.
	 * @return the number, zero or more
	 */
	public synchronized long available() {
		refill();
		return (long) this.tokens;
	}

}
