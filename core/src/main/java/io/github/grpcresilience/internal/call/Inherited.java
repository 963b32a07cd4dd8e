package io.github.grpcresilience.internal.call;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

/**
 * Time that is left to what a call is made for: the call that is being served, by its
 * record, and whatever else has set a deadline in gRPC's Context. A call that was
 * answered leaves nothing (decision 21). Immutable.
 *
 * @param nanos nanoseconds that are left, negative if the deadline has passed
 * @param isOver whether it has ended already
 */
public record Inherited(long nanos, boolean isOver) {

	/** There is no bound. */
	public static final Inherited NOTHING = new Inherited(CallRecord.UNLIMITED, false);

	/**
	 * Looks at the current thread.
	 * @param scope the piece of work that runs here; {@code null} for none
	 * @param context gRPC's Context
	 * @return what is left
	 */
	public static Inherited of(@Nullable CallScope scope, Context context) {
		Deadline deadline = findWritten(scope, context);
		// What was carried here may be done for others, to whom nothing has ended.
		CallRecord call = (scope == null || (scope.isCarried() && scope.call().hasEnded())) ? null : scope.call();
		long left = (call != null) ? call.remainingNanos() : CallRecord.UNLIMITED;
		boolean over = call != null && call.isTimedOut();
		if (deadline != null) {
			left = Math.min(left, deadline.timeRemaining(TimeUnit.NANOSECONDS));
			over |= isTimedOut(context);
		}
		return (left != CallRecord.UNLIMITED || over) ? new Inherited(left, over) : NOTHING;
	}

	/**
	 * Whether there is no bound at all.
	 * @return {@code true} if nothing is inherited
	 */
	public boolean isNothing() {
		return this.nanos == CallRecord.UNLIMITED && !this.isOver;
	}

	/**
	 * The deadline of the Context, where the record does not say it.
	 */
	private static @Nullable Deadline findWritten(@Nullable CallScope scope, Context context) {
		Deadline deadline = context.getDeadline();
		ServedCall owner = (deadline != null) ? ServedCall.KEY.get(context) : null;
		if (deadline == null || owner == null || !owner.record().isContextDeadline(deadline)) {
			return deadline;
		}
		boolean said = owner.record().isAnswered() || (scope != null && scope.isOf(owner.record()));
		return said ? null : deadline;
	}

	private static boolean isTimedOut(Context context) {
		return context.isCancelled() && context.cancellationCause() instanceof TimeoutException;
	}

}
