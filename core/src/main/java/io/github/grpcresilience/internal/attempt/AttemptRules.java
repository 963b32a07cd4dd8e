package io.github.grpcresilience.internal.attempt;

import java.util.function.BooleanSupplier;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.policy.AttemptPolicy;
import io.github.grpcresilience.internal.policy.AttemptPolicy.Hedge;
import io.github.grpcresilience.internal.policy.AttemptPolicy.Retry;

/**
 * What follows the failure of an attempt, by the policy of its method. Immutable: reads
 * no clock, draws no number, and asks the budget only for an attempt that nothing else
 * speaks against.
 */
sealed interface AttemptRules permits RetryRules, HedgeRules {

	/**
	 * The rules of a policy.
	 * @throws IllegalArgumentException if the policy allows one attempt only
	 */
	static AttemptRules of(AttemptPolicy policy) {
		if (policy instanceof Retry retry) {
			return new RetryRules(retry);
		}
		if (policy instanceof Hedge hedge) {
			return new HedgeRules(hedge);
		}
		throw new IllegalArgumentException("there are no rules for calls that are attempted once: " + policy);
	}

	/**
	 * Most attempts of one call, the first included.
	 */
	int maxAttempts();

	/**
	 * Whether an attempt may begin while another one is in flight.
	 */
	boolean overlap();

	/**
	 * Whether the policy wants another attempt after such a failure at all.
	 * @param code how the attempt ended
	 * @param timedOut whether its own timeout ended it
	 */
	boolean isRepeatable(Status.Code code, boolean timedOut);

	/**
	 * What follows a failure.
	 * @param failed the failure
	 * @param budget takes one attempt out of the budget; {@code false} if there is none
	 */
	Verdict after(FailedAttempt failed, BooleanSupplier budget);

	/**
	 * Why there is no further attempt, whatever time and budget are left.
	 * @return {@code null} if there may be one
	 */
	default @Nullable AttemptEnd endOf(FailedAttempt failed) {
		if (failed.channelRepeats()) {
			return AttemptEnd.CHANNEL;
		}
		if (failed.chained()) {
			return AttemptEnd.CHAIN;
		}
		if (failed.isStopAsked()) {
			return AttemptEnd.PUSH_BACK;
		}
		return (failed.counted() >= maxAttempts()) ? AttemptEnd.MAX_ATTEMPTS : null;
	}

	/**
	 * The call ends, and could have gone on under another policy.
	 */
	default Verdict end(AttemptEnd reason) {
		return (maxAttempts() > 1) ? Verdict.end(reason) : Verdict.END;
	}

}
