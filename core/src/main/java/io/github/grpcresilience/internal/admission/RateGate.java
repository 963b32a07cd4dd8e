package io.github.grpcresilience.internal.admission;

import java.math.BigDecimal;
import java.util.concurrent.atomic.AtomicLong;

import io.grpc.Deadline;

import io.github.grpcresilience.status.Reason;

/**
 * Bounds the calls that start within a second, as the generic cell rate algorithm does
 * (GCRA, ITU-T I.371): a bucket that holds what one second lets in, rounded up, and is
 * refilled without pause. All there is to know is when the bucket will be full again, so
 * one number is enough.
 */
final class RateGate implements Gate {

	private static final double NANOS_PER_SECOND = 1e9;

	private final double perSecond;

	private final Scope scope;

	private final Deadline.Ticker ticker;

	/** Nanoseconds in which the bucket gets back one call. */
	private final long intervalNanos;

	/** How far ahead of now the bucket may be full for one more call to pass. */
	private final long toleranceNanos;

	/** When the bucket is full; in the past if it is full now. */
	private final AtomicLong fullAtNanos;

	RateGate(double perSecond, Scope scope, Deadline.Ticker ticker) {
		this.perSecond = perSecond;
		this.scope = scope;
		this.ticker = ticker;
		this.intervalNanos = Math.max(1, Math.round(NANOS_PER_SECOND / perSecond));
		long burst = (long) Math.ceil(perSecond);
		this.toleranceNanos = (burst - 1) * this.intervalNanos;
		this.fullAtNanos = new AtomicLong(ticker.nanoTime());
	}

	@Override
	public long enter() {
		while (true) {
			long full = this.fullAtNanos.get();
			long now = this.ticker.nanoTime();
			long ahead = Math.max(0, full - now);
			if (ahead > this.toleranceNanos) {
				return ahead - this.toleranceNanos;
			}
			if (this.fullAtNanos.compareAndSet(full, now + ahead + this.intervalNanos)) {
				return OPEN;
			}
		}
	}

	@Override
	public void undo() {
		this.fullAtNanos.addAndGet(-this.intervalNanos);
	}

	@Override
	public void leave(Outcome outcome, long elapsedNanos) {
		// That it started is what counts.
	}

	@Override
	public Reason reason() {
		return Reason.RATE_LIMIT;
	}

	@Override
	public String limit() {
		return BigDecimal.valueOf(this.perSecond).stripTrailingZeros().toPlainString();
	}

	@Override
	public Scope scope() {
		return this.scope;
	}

}
