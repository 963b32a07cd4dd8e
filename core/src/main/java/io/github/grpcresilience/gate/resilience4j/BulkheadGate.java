package io.github.grpcresilience.gate.resilience4j;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.grpc.Status;

import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.status.Reason;

/**
 * A bulkhead: an attempt holds one of its places until it is closed.
 *
 * @param bulkhead the engine
 */
record BulkheadGate(Bulkhead bulkhead) implements AttemptGate {

	@Override
	public boolean refusesNow() {
		return this.bulkhead.getMetrics().getAvailableConcurrentCalls() <= 0;
	}

	@Override
	public Answer ask() {
		// The engine gives nothing to threads that are interrupted, free places or not.
		boolean interrupted = Thread.interrupted();
		try {
			return this.bulkhead.tryAcquirePermission() ? new Place(this.bulkhead)
					: new Refusal(Reason.CONCURRENCY_LIMIT, Waits.UNKNOWN);
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	/**
	 * A place that is taken.
	 *
	 * @param bulkhead the engine
	 */
	private record Place(Bulkhead bulkhead) implements Permit {

		@Override
		public void succeeded() {
			// It makes no difference.
		}

		@Override
		public void failed(Status status) {
			// It makes no difference.
		}

		@Override
		public void unknown() {
			// It makes no difference.
		}

		@Override
		public void ended() {
			this.bulkhead.onComplete();
		}

	}

}
