package io.github.grpcresilience.cancel;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import org.jspecify.annotations.Nullable;

/**
 * Tells a task that waits for its turn that its call is gone. It does not keep the task:
 * a pool that rejects or discards one tells nobody, and a call may last for ever.
 */
final class CallTaskWatch extends WeakReference<CallTask> implements CancellationListener {

	private final Context context;

	private CallTaskWatch(CallTask task, Context context, ReferenceQueue<CallTask> lost) {
		super(task, lost);
		this.context = context;
	}

	/**
	 * Begins to watch, and ends the watches of tasks that were lost.
	 */
	static void begin(CallTask task, Context context, ReferenceQueue<CallTask> lost) {
		endAll(lost);
		CallTaskWatch watch = new CallTaskWatch(task, context, lost);
		task.watchedBy(watch);
		CallEnd.listen(context, watch);
	}

	private static void endAll(ReferenceQueue<CallTask> lost) {
		for (Object watch = lost.poll(); watch != null; watch = lost.poll()) {
			((CallTaskWatch) watch).end();
		}
	}

	void end() {
		this.context.removeListener(this);
		clear();
	}

	/**
	 * Called on the thread that cancels, which must not block.
	 */
	@Override
	public void cancelled(Context cancelled) {
		@Nullable CallTask task = get();
		if (task != null) {
			task.abandoned(cancelled);
		}
	}

}
