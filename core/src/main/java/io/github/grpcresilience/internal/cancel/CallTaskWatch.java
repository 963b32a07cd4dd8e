package io.github.grpcresilience.internal.cancel;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallRecord.EndListener;

/**
 * Tells a task that waits for its turn that its call is gone. It does not keep the task:
 * a pool that rejects or discards one tells nobody, and a call may last for ever.
 */
final class CallTaskWatch extends WeakReference<CallTask> implements EndListener {

	/** Written before the task is submitted. */
	private CallRecord.@Nullable Registration registration;

	private CallTaskWatch(CallTask task, ReferenceQueue<CallTask> lost) {
		super(task, lost);
	}

	/**
	 * Begins to watch, and ends the watches of tasks that were lost.
	 */
	static void begin(CallTask task, CallRecord call, ReferenceQueue<CallTask> lost) {
		endAll(lost);
		CallTaskWatch watch = new CallTaskWatch(task, lost);
		task.watchedBy(watch);
		watch.registration = call.listen(watch);
	}

	private static void endAll(ReferenceQueue<CallTask> lost) {
		for (Object watch = lost.poll(); watch != null; watch = lost.poll()) {
			((CallTaskWatch) watch).end();
		}
	}

	void end() {
		if (this.registration != null) {
			this.registration.close();
		}
		clear();
	}

	/**
	 * Called on the thread that ends the call, which must not block.
	 */
	@Override
	public void ended(CallRecord call) {
		@Nullable CallTask task = get();
		if (task != null) {
			task.abandoned();
		}
	}

}
