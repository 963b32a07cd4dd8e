package io.github.grpcresilience.internal.cancel;

import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.ServedCall;

/**
 * gRPC's Context for tasks of a call. It has the values of the Context that began the
 * task and is cancelled when the call ends. It has no deadline, and the answer does not
 * cancel it, as it does the Context of the handler: what goes on after the answer was
 * meant to.
 */
final class WorkContext {

	/** Tells such a Context from that of the handler. */
	private static final Context.Key<CallRecord> WORK = Context.key("grpc-resilience-work");

	private WorkContext() {
	}

	/**
	 * The Context to attach where a task runs.
	 * @param scope the piece of work that begins the task
	 * @param begun Context of what begins the task
	 * @param canceller cancels the Context
	 * @return {@code null} where gRPC's Context does not hold the call, so that the task
	 * needs none
	 */
	static @Nullable Context find(CallScope scope, Context begun, WorkCanceller canceller) {
		ServedCall owner = ServedCall.KEY.get(begun);
		if (owner == null || !scope.isOf(owner.record()) || !canceller.isEnforced()) {
			return null;
		}
		if (WORK.get(begun) == scope.call()) {
			return begun;
		}
		return scope.contextOf(begun, (values) -> create(values.fork(), scope.call(), canceller));
	}

	private static Context create(Context values, CallRecord call, WorkCanceller canceller) {
		CancellableContext work = values.withValue(WORK, call).withCancellation();
		// It stays until the call has ended: who holds the work's Context is not known.
		call.listen((ended) -> canceller.cancel(() -> work.cancel(causeOf(ended))));
		return work;
	}

	private static Throwable causeOf(CallRecord ended) {
		return ended.isTimedOut() ? new TimeoutException("the call's deadline ended before its work did")
				: CallEnd.failure(ended, "task", null);
	}

}
