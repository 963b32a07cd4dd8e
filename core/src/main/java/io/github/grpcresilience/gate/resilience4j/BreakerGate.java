package io.github.grpcresilience.gate.resilience4j;

import java.time.Duration;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.grpc.Status;

import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.status.Reason;

/**
 * A circuit breaker.
 *
 * @param breaker the engine
 */
record BreakerGate(CircuitBreaker breaker) implements AttemptGate {

	@Override
	public boolean refusesNow() {
		return switch (this.breaker.getState()) {
			case OPEN, FORCED_OPEN, HALF_OPEN -> true;
			case CLOSED, DISABLED, METRICS_ONLY -> false;
		};
	}

	@Override
	public Answer ask() {
		if (!this.breaker.tryAcquirePermission()) {
			return new Refusal(Reason.CIRCUIT_OPEN, retryAfter());
		}
		return new Leave(this.breaker, this.breaker.getState() == State.HALF_OPEN, this.breaker.getCurrentTimestamp());
	}

	/**
	 * The whole time that an open breaker waits: how much of it has passed it does not
	 * tell. A half-open one is decided upon soon.
	 */
	private Duration retryAfter() {
		return (this.breaker.getState() == State.HALF_OPEN) ? Waits.UNKNOWN : Waits.atLeast(Duration
			.ofMillis(this.breaker.getCircuitBreakerConfig().getWaitIntervalFunctionInOpenState().apply(1)));
	}

	/**
	 * One call that the breaker knows of.
	 *
	 * @param breaker the engine
	 * @param probe whether the call is one of the few of a half-open breaker, which are
	 * counted; only those may be given back, since a breaker that has become half-open
	 * meanwhile would let one call more pass
	 * @param start when it began, on the engine's clock
	 */
	private record Leave(CircuitBreaker breaker, boolean probe, long start) implements Permit {

		@Override
		public void succeeded() {
			this.breaker.onSuccess(elapsed(), this.breaker.getTimestampUnit());
		}

		@Override
		public void failed(Status status) {
			boolean recorded = false;
			try {
				this.breaker.onError(elapsed(), this.breaker.getTimestampUnit(), new RecordedFailure(status));
				recorded = true;
			}
			finally {
				if (!recorded) {
					unknown(); // the application's own predicates may throw
				}
			}
		}

		@Override
		public void unknown() {
			if (this.probe) {
				this.breaker.releasePermission();
			}
		}

		@Override
		public void ended() {
			// It counts outcomes, not calls that run.
		}

		private long elapsed() {
			return this.breaker.getCurrentTimestamp() - this.start;
		}

	}

}
