package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.Inherited;
import io.github.grpcresilience.internal.policy.DeadlinePolicy;
import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.status.Reason;

/**
 * What a call that is about to be made may use. Immutable.
 *
 * @param nanos nanoseconds from now; {@code Long.MAX_VALUE} for no bound
 * @param shortens whether that is less than what the call itself asks for
 * @param inherited whether the budget of the call that is being served bounds it
 * @param refusal why the call must not be sent; {@code null} if it may
 */
record ClientBudget(long nanos, boolean shortens, boolean inherited, @Nullable Reason refusal) {

	static final long UNLIMITED = DeadlinePolicy.UNLIMITED;

	private static final ClientBudget NONE = new ClientBudget(UNLIMITED, false, false, null);

	private static final ClientBudget REQUIRED = new ClientBudget(UNLIMITED, false, false, Reason.DEADLINE_REQUIRED);

	private static final ClientBudget EXHAUSTED = new ClientBudget(0, true, true, Reason.BUDGET_EXHAUSTED);

	/**
	 * What a call may use.
	 * @param inherited what is left to what the call is made for
	 */
	static ClientBudget of(DeadlinePolicy policy, CallOptions options, Inherited inherited) {
		Deadline explicit = options.getDeadline();
		if (explicit == null && inherited.isNothing()) {
			return ofMissing(policy);
		}
		long asked = (explicit != null) ? explicit.timeRemaining(TimeUnit.NANOSECONDS) : UNLIMITED;
		long own = (explicit == null && policy.missing() == MissingDeadline.DEFAULT) ? policy.defaultNanos() : asked;
		long budget = Math.min(own, policy.maxNanos());
		if (inherited.isNothing()) {
			return new ClientBudget(budget, budget < asked, false, null);
		}
		long left = inherited.nanos();
		long share = left - policy.allowance().ofNanos(left);
		if (share <= 0 || inherited.isOver()) {
			return EXHAUSTED;
		}
		return (share < budget) ? new ClientBudget(share, true, true, null)
				: new ClientBudget(budget, budget < asked, false, null);
	}

	private static ClientBudget ofMissing(DeadlinePolicy policy) {
		return switch (policy.missing()) {
			case DEFAULT -> new ClientBudget(policy.defaultNanos(), true, false, null);
			case REJECT -> REQUIRED;
			case ALLOW -> NONE;
		};
	}

	boolean isUnlimited() {
		return this.nanos == UNLIMITED;
	}

}
