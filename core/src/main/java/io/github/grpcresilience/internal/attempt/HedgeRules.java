package io.github.grpcresilience.internal.attempt;

import java.util.function.BooleanSupplier;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.policy.AttemptPolicy.Hedge;

/**
 * While an attempt takes long, another one is made beside it; after a failure that is not
 * fatal, the next one comes at once. Immutable.
 *
 * @param policy how often, when, and after which codes
 */
record HedgeRules(Hedge policy) implements AttemptRules {

	@Override
	public int maxAttempts() {
		return this.policy.maxAttempts();
	}

	@Override
	public boolean overlap() {
		return true;
	}

	@Override
	public boolean isRepeatable(Status.Code code, boolean timedOut) {
		return this.policy.nonFatal().contains(code);
	}

	@Override
	public Verdict after(FailedAttempt failed, BooleanSupplier budget) {
		if (!isRepeatable(failed.code(), failed.timedOut())) {
			return Verdict.END;
		}
		boolean alone = failed.inFlight() == 0;
		if (failed.refused()) {
			return alone ? end(AttemptEnd.CIRCUIT) : Verdict.KEEP_GOING;
		}
		AttemptEnd end = stop(failed, budget);
		if (end != null) {
			return alone ? end(end) : Verdict.keepGoing(end);
		}
		if (failed.askedNanos() == 0) {
			return Verdict.again(0);
		}
		return alone ? Verdict.again(failed.askedNanos()) : Verdict.hedgeLater(failed.askedNanos());
	}

	private @Nullable AttemptEnd stop(FailedAttempt failed, BooleanSupplier budget) {
		AttemptEnd end = (failed.stopped() != null) ? failed.stopped() : endOf(failed);
		if (end != null) {
			return end;
		}
		if (failed.roomNanos() <= failed.askedNanos()) {
			return AttemptEnd.DEADLINE;
		}
		return budget.getAsBoolean() ? null : AttemptEnd.BUDGET;
	}

	/**
	 * What follows when an attempt takes long, and another one may be made beside it.
	 * @param channelRepeats whether the channel makes attempts itself
	 * @param budget takes one attempt out of the budget; {@code false} if there is none
	 */
	Verdict whenSlow(boolean channelRepeats, BooleanSupplier budget) {
		if (channelRepeats) {
			return Verdict.keepGoing(AttemptEnd.CHANNEL);
		}
		return budget.getAsBoolean() ? Verdict.again(0) : Verdict.keepGoing(AttemptEnd.BUDGET);
	}

}
