package io.github.grpcresilience.internal.cancel;

import java.util.Map;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.CallEndedException;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * Why work failed whose call has ended, as a status that handlers may let through:
 * callers then see DEADLINE_EXCEEDED or CANCELLED, and callers of other calls, who waited
 * for the same work, that it was somebody else's.
 */
public final class CallEnd {

	private CallEnd() {
	}

	/**
	 * The failure of work that stopped with its call, or did not begin.
	 * @param call the call, which has ended or has no time left
	 * @param work what was not done, for people, such as {@code statement}
	 * @param cause what the work itself failed with; {@code null} if it never began
	 * @return the failure, with a {@link CallEndedException} among its causes
	 */
	public static StatusRuntimeException failure(CallRecord call, String work, @Nullable Throwable cause) {
		String what = work + ((cause != null) ? " stopped" : " not started");
		CallEndedException ended = new CallEndedException(call, cause);
		if (call.hasEnded() && !call.isTimedOut()) {
			return Status.CANCELLED.withDescription(what + ": the call was cancelled")
				.withCause(ended)
				.asRuntimeException();
		}
		Status status = Status.DEADLINE_EXCEEDED.withDescription(what + ": the deadline has passed");
		Metadata trailers = new Metadata();
		StatusDetails.put(trailers, status, Reason.DEADLINE_EXCEEDED, Map.of("side", "server"));
		return status.withCause(ended).asRuntimeException(trailers);
	}

}
