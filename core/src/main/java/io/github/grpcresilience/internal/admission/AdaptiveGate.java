package io.github.grpcresilience.internal.admission;

import java.util.concurrent.atomic.AtomicInteger;

import io.github.grpcresilience.admission.AdaptiveLimit;
import io.github.grpcresilience.internal.admission.AdmissionUsage.Use;
import io.github.grpcresilience.status.Reason;

/**
 * Bounds the unary calls that run at once by a number that follows from how long they
 * take.
 */
final class AdaptiveGate implements Gate {

	private final AdaptiveLimit limit;

	private final Scope scope;

	private final AtomicInteger inUse = new AtomicInteger();

	AdaptiveGate(AdaptiveLimit limit, Scope scope) {
		this.limit = limit;
		this.scope = scope;
	}

	@Override
	public long enter() {
		return ConcurrencyGate.tryEnter(this.inUse, this.limit.limit()) ? OPEN : 0;
	}

	@Override
	public void undo() {
		this.inUse.decrementAndGet();
	}

	@Override
	public void leave(Outcome outcome, long elapsedNanos) {
		int with = this.inUse.getAndDecrement();
		if (outcome != Outcome.UNKNOWN && elapsedNanos > 0) {
			this.limit.ended(elapsedNanos, with, outcome == Outcome.OVERLOADED);
		}
	}

	Use use() {
		return new Use(this.inUse.get(), this.limit.limit());
	}

	@Override
	public Reason reason() {
		return Reason.CONCURRENCY_LIMIT;
	}

	@Override
	public String limit() {
		return Integer.toString(this.limit.limit());
	}

	@Override
	public Scope scope() {
		return this.scope;
	}

}
