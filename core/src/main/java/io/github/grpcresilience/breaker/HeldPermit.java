package io.github.grpcresilience.breaker;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

import io.github.grpcresilience.method.AttemptGate.Permit;

/**
 * A permit that is told each thing once, whoever comes first: calls are closed, fail to
 * start, or both. Safe for concurrent use.
 */
final class HeldPermit {

	private final Permit permit;

	private final AtomicBoolean waiting = new AtomicBoolean(true);

	private final AtomicBoolean held = new AtomicBoolean(true);

	HeldPermit(Permit permit) {
		this.permit = permit;
	}

	/**
	 * Tells the outcome, if nobody has.
	 */
	void tell(Consumer<Permit> outcome) {
		if (this.waiting.compareAndSet(true, false)) {
			outcome.accept(this.permit);
		}
	}

	/**
	 * Tells the outcome, if nobody has, and that the attempt has ended.
	 */
	void end(Consumer<Permit> outcome) {
		try {
			tell(outcome);
		}
		finally {
			if (this.held.compareAndSet(true, false)) {
				this.permit.ended();
			}
		}
	}

	/**
	 * The attempt was not made.
	 */
	void giveBack() {
		end(Permit::unknown);
	}

}
