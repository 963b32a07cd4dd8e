package io.github.grpcresilience.internal.attempt;

import java.util.function.BooleanSupplier;

import io.grpc.Status;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.policy.AttemptPolicy.Retry;

/**
 * A failed attempt is followed by another one after a wait. Immutable.
 *
 * @param policy how often, after which codes and how long
 */
record RetryRules(Retry policy) implements AttemptRules {

	@Override
	public int maxAttempts() {
		return this.policy.maxAttempts();
	}

	@Override
	public boolean overlap() {
		return false;
	}

	@Override
	public boolean isRepeatable(Status.Code code, boolean timedOut) {
		return timedOut || this.policy.retryable().contains(code);
	}

	@Override
	public Verdict after(FailedAttempt failed, BooleanSupplier budget) {
		if (!isRepeatable(failed.code(), failed.timedOut()) || failed.remainingNanos() <= 0) {
			return Verdict.END;
		}
		AttemptEnd end = endOf(failed);
		if (end != null) {
			return end(end);
		}
		long wait = Math.max(failed.askedNanos(), Backoff.ofPolicy(this.policy, failed.made(), failed.random()));
		if (failed.roomNanos() <= wait) {
			return end(failed.circuitOpen() ? AttemptEnd.CIRCUIT : AttemptEnd.DEADLINE);
		}
		return budget.getAsBoolean() ? Verdict.again(Math.max(1, wait)) : end(AttemptEnd.BUDGET);
	}

}
