package io.github.grpcresilience.cancel;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Context.CancellationListener;
import io.grpc.Deadline;

import io.github.grpcresilience.method.ServedCall;
import io.github.grpcresilience.time.UntimedScheduler;

/**
 * The Context in which work of a call goes on on other threads. It has the values and the
 * deadline of the Context that began the work, and is cancelled with it if the call is
 * abandoned. grpc-java cancels the Context of an answered call too, which would end the
 * downstream calls of work that was meant to go on after the answer (decision 8); this
 * one it does not reach.
 */
final class WorkContext implements CancellationListener {

	private static final Context.Key<ServedCall> KEY = Context.key("grpc-resilience-work");

	private final CancellableContext work;

	private WorkContext(CancellableContext work) {
		this.work = work;
	}

	/**
	 * The Context to attach where the work is done. Work that starts after the answer
	 * keeps the values of the call and nothing else.
	 * @param begun Context of what begins the work
	 * @return {@code begun} itself, where no answer can cancel it
	 */
	static Context of(Context begun) {
		ServedCall call = ServedCall.KEY.get(begun);
		if (call == null) {
			return begun;
		}
		if (begun.isCancelled()) {
			return CallEnd.isAbandoned(begun) ? begun : begun.fork();
		}
		if (KEY.get(begun) == call) {
			return (call.hasEnded() && isExpired(begun)) ? begun.fork() : begun;
		}
		return call.workContext(begun, WorkContext::create);
	}

	/**
	 * Whether a Context that is not cancelled has outlived its call, which then was
	 * answered. Its deadline was the one of the answer and says nothing any more.
	 */
	static boolean isAfterTheEnd(Context context) {
		ServedCall call = KEY.get(context);
		return call != null && call == ServedCall.KEY.get(context) && call.hasEnded();
	}

	private static Context create(Context begun) {
		Context values = begun.fork().withValue(KEY, ServedCall.KEY.get(begun));
		Deadline deadline = begun.getDeadline();
		CancellableContext work = (deadline != null) ? values.withDeadline(deadline, UntimedScheduler.INSTANCE)
				: values.withCancellation();
		// It stays until the call has ended: who holds the work's Context is not known.
		CallEnd.listen(begun, new WorkContext(work));
		return work;
	}

	private static boolean isExpired(Context context) {
		Deadline deadline = context.getDeadline();
		return deadline != null && deadline.isExpired();
	}

	/**
	 * Called on the thread that cancels, and passes it on there.
	 */
	@Override
	public void cancelled(Context begun) {
		if (CallEnd.isAbandoned(begun)) {
			this.work.cancel(begun.cancellationCause());
		}
	}

}
