package io.github.grpcresilience.internal.admission;

import io.grpc.Deadline;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.ServedCall;

/**
 * What a call holds that was let in, until it is over.
 *
 * @param method what it passed
 * @param deadline the call's deadline; {@code null} if it has none
 */
record Permit(MethodAdmission method, @Nullable Deadline deadline) implements ServedCall.OverListener {

	@Override
	public void over(Status.Code code, long elapsedNanos) {
		boolean expired = this.deadline != null && this.deadline.isExpired();
		this.method.leave(Outcome.of(code, expired), elapsedNanos);
	}

}
