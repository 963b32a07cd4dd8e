package io.github.grpcresilience.cancel;

import java.util.Map;
import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.method.ServedCall;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.status.StatusDetails;

/**
 * How the {@link Context} of a call ended. Work is abandoned when nobody waits for it any
 * more: its caller left, its deadline passed, or the scope that began it was cancelled. A
 * call that its handler answered is not abandoned, although grpc-java cancels its Context
 * as well: what goes on after the answer was meant to.
 */
public final class CallEnd {

	private CallEnd() {
	}

	/**
	 * Whether nobody waits any more for work that runs in a Context.
	 * @param context Context of the work
	 * @return {@code true} from the moment at which the work should stop
	 */
	public static boolean isAbandoned(Context context) {
		if (!context.isCancelled()) {
			Deadline deadline = context.getDeadline();
			return deadline != null && deadline.isExpired() && !WorkContext.isAfterTheEnd(context);
		}
		if (context.cancellationCause() != null) {
			return true;
		}
		ServedCall call = ServedCall.KEY.get(context);
		return call == null || !call.hasEnded();
	}

	/**
	 * Registers a listener that goes when its work is done, with
	 * {@link Context#removeListener}; a call may do so any number of times.
	 * @param context Context of the work
	 * @param listener told on the thread that cancels, a transport's perhaps, so it must
	 * not block; at once if the Context is cancelled already
	 */
	public static void listen(Context context, CancellationListener listener) {
		ServedCall call = ServedCall.KEY.get(context);
		if (call != null) {
			call.anchor();
		}
		context.addListener(listener, Runnable::run);
	}

	/**
	 * Why abandoned work failed, as a status that handlers may let through: callers then
	 * see DEADLINE_EXCEEDED or CANCELLED.
	 * @param context Context of the work
	 * @param work what was not done, for people, such as {@code statement}
	 * @param cause what the work itself failed with; {@code null} if it never began
	 * @return the failure
	 */
	public static StatusRuntimeException failure(Context context, String work, @Nullable Throwable cause) {
		String what = work + ((cause != null) ? " stopped" : " not started");
		if (isTimedOut(context)) {
			Status status = Status.DEADLINE_EXCEEDED.withDescription(what + ": the deadline has passed");
			Metadata trailers = new Metadata();
			StatusDetails.put(trailers, status, Reason.DEADLINE_EXCEEDED, Map.of("side", "server"));
			return status.withCause(cause).asRuntimeException(trailers);
		}
		return Status.CANCELLED.withDescription(what + ": the call was cancelled")
			.withCause(cause)
			.asRuntimeException();
	}

	/**
	 * By cause first: the cause of a cancellation outlives a deadline that passes later.
	 */
	private static boolean isTimedOut(Context context) {
		if (context.isCancelled() && context.cancellationCause() != null) {
			return context.cancellationCause() instanceof TimeoutException;
		}
		Deadline deadline = context.getDeadline();
		return deadline != null && deadline.isExpired();
	}

}
