package io.github.grpcresilience.gate.resilience4j;

import java.time.Duration;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.grpc.Status;

import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.status.Reason;

/**
 * A rate limiter. Its {@code timeoutDuration} is not made use of, since waiting would
 * block a thread of the caller or of the transport: what finds no permission is refused.
 */
final class RateLimiterGate implements AttemptGate {

	private final RateLimiter limiter;

	RateLimiterGate(RateLimiter limiter) {
		this.limiter = limiter;
	}

	@Override
	public boolean refusesNow() {
		return this.limiter.getMetrics().getAvailablePermissions() <= 0;
	}

	@Override
	public Answer ask() {
		return take() ? Taken.INSTANCE : new Refusal(Reason.RATE_LIMIT, retryAfter());
	}

	private boolean take() {
		Duration timeout = this.limiter.getRateLimiterConfig().getTimeoutDuration();
		return timeout.isZero() ? this.limiter.reservePermission() >= 0 : takeFree();
	}

	/**
	 * An engine that may make callers wait promises permissions of periods to come, and
	 * takes none back. So it is only asked while it has some; the lock is held for no
	 * longer than that. If the application itself takes the last one in between, the
	 * attempt is sent with one of the next period: the rate is kept all the same.
	 */
	private synchronized boolean takeFree() {
		return !refusesNow() && this.limiter.reservePermission() >= 0;
	}

	/** After a whole period there are permissions again, for whoever comes first. */
	private Duration retryAfter() {
		return Waits.atLeast(this.limiter.getRateLimiterConfig().getLimitRefreshPeriod());
	}

	/**
	 * A permission, which nobody can give back.
	 */
	private enum Taken implements Permit {

		INSTANCE;

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
			// It makes no difference.
		}

	}

}
