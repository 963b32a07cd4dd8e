package io.github.grpcresilience.autoconfigure.edge;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.deadline.ServedRequest;
import io.github.grpcresilience.internal.status.Causes;

/**
 * An HTTP request that is being served. Immutable but for its end.
 *
 * @param served what runs for it
 * @param budget its budget; {@code null} if it has none
 * @param method method of the request
 * @param path path of the request
 */
public record EdgeRequest(ServedRequest served, @Nullable EdgeBudget budget, String method, String path) {

	/** One part in so many: a chain of three hops keeps back a fifth. */
	private static final int MOST_KEPT_BACK = 4;

	CallRecord record() {
		return this.served.record();
	}

	/**
	 * Whether a failure comes of the budget. Calls end before it does: each hop keeps
	 * some of it back, so that there is time to answer.
	 */
	boolean isOutOfBudget(Throwable thrown) {
		if (this.budget == null) {
			return false;
		}
		long left = record().remainingNanos();
		return left <= 0 || (left <= this.budget.duration().toNanos() / MOST_KEPT_BACK && isDeadlineExceeded(thrown));
	}

	private static boolean isDeadlineExceeded(Throwable thrown) {
		Throwable failure = Causes.findStatus(thrown);
		Status status = (failure != null) ? Causes.statusOf(failure) : null;
		return status != null && status.getCode() == Status.Code.DEADLINE_EXCEEDED;
	}

}
