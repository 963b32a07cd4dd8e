package io.github.grpcresilience.internal.admission;

import java.util.concurrent.atomic.AtomicInteger;

import io.github.grpcresilience.internal.admission.AdmissionUsage.Use;
import io.github.grpcresilience.status.Reason;

/**
 * Bounds the calls that run at once by a number that somebody wrote.
 */
final class ConcurrencyGate implements Gate {

	private final int limit;

	private final Scope scope;

	private final AtomicInteger inUse = new AtomicInteger();

	ConcurrencyGate(int limit, Scope scope) {
		this.limit = limit;
		this.scope = scope;
	}

	@Override
	public long enter() {
		return tryEnter(this.inUse, this.limit) ? OPEN : 0;
	}

	/**
	 * Counts a call, unless there are enough. The count is never above the limit, not
	 * even for a moment.
	 */
	static boolean tryEnter(AtomicInteger inUse, int limit) {
		int now = inUse.get();
		while (now < limit) {
			if (inUse.compareAndSet(now, now + 1)) {
				return true;
			}
			now = inUse.get();
		}
		return false;
	}

	@Override
	public void undo() {
		this.inUse.decrementAndGet();
	}

	@Override
	public void leave(Outcome outcome, long elapsedNanos) {
		this.inUse.decrementAndGet();
	}

	Use use() {
		return new Use(this.inUse.get(), this.limit);
	}

	@Override
	public Reason reason() {
		return Reason.CONCURRENCY_LIMIT;
	}

	@Override
	public String limit() {
		return Integer.toString(this.limit);
	}

	@Override
	public Scope scope() {
		return this.scope;
	}

}
