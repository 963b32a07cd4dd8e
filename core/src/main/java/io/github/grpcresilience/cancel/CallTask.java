package io.github.grpcresilience.cancel;

import java.util.concurrent.Future;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Context;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.method.ServedCall;

/**
 * A task that was submitted while a call was being served, and that runs for the call.
 * Queued and running by turns if it is periodic; dropped at most once, and only while it
 * is queued. Safe for concurrent use.
 */
class CallTask implements Runnable {

	private static final int QUEUED = 0;

	private static final int RUNNING = 1;

	private static final int DROPPED = 2;

	private final Runnable task;

	private final TaskKind kind;

	private final Context context;

	private final WorkCanceller canceller;

	private final AtomicInteger state = new AtomicInteger(QUEUED);

	/** Written before the task is submitted; absent if there is nothing to watch for. */
	private @Nullable CallTaskWatch watch;

	/**
	 * What the pool holds for this task; absent until the task is about to be submitted.
	 */
	private volatile @Nullable Runnable queued;

	private final @Nullable ThreadPoolExecutor pool;

	CallTask(Runnable task, TaskKind kind, Context context, WorkCanceller canceller,
			@Nullable ThreadPoolExecutor pool) {
		this.task = task;
		this.kind = kind;
		this.context = context;
		this.canceller = canceller;
		this.pool = pool;
	}

	/**
	 * What was submitted.
	 */
	Runnable task() {
		return this.task;
	}

	/**
	 * Whether anything can be done for the task when its call dies before its turn.
	 */
	boolean isWorthWatching() {
		return this.kind == TaskKind.FUTURE || (this.kind == TaskKind.PLAIN && this.pool != null);
	}

	void watchedBy(CallTaskWatch watch) {
		this.watch = watch;
	}

	void queuedAs(Runnable queued) {
		this.queued = queued;
	}

	@Override
	public void run() {
		if (!this.state.compareAndSet(QUEUED, RUNNING)) {
			return;
		}
		boolean again = isPeriodic();
		if (!again) {
			forget();
		}
		try {
			runOrDrop();
		}
		finally {
			if (again) {
				this.state.set(QUEUED);
			}
		}
	}

	private boolean isPeriodic() {
		return this.task instanceof RunnableScheduledFuture<?> scheduled && scheduled.isPeriodic();
	}

	private void runOrDrop() {
		if (this.kind.isDroppable() && CallEnd.isAbandoned(this.context)) {
			this.canceller.counts().refused(Work.TASK);
			if (this.canceller.isEnforced()) {
				cancelFuture();
				return;
			}
		}
		Context work = this.canceller.workContext(this.context);
		if (this.canceller.isEnforced()) {
			Context previous = work.attach();
			try {
				runIn(work);
			}
			finally {
				work.detach(previous);
			}
		}
		else {
			runIn(work);
		}
	}

	private void runIn(Context work) {
		ServedCall call = ServedCall.KEY.get(work);
		if (call != null && call.isInterruptible()) {
			Interruption interruption = Interruption.begin(work, this.canceller, Work.TASK);
			try {
				this.task.run();
			}
			finally {
				interruption.close();
			}
		}
		else {
			this.task.run();
		}
	}

	/**
	 * Called on the thread that cancels, which must not block.
	 */
	void abandoned(Context cancelled) {
		if (this.canceller.isEnforced() && this.state.get() == QUEUED && CallEnd.isAbandoned(cancelled)) {
			this.canceller.cancel(this::drop);
		}
	}

	private void drop() {
		if (this.state.compareAndSet(QUEUED, DROPPED)) {
			forget();
			this.canceller.counts().refused(Work.TASK);
			cancelFuture();
			dequeue();
		}
	}

	private void cancelFuture() {
		if (this.kind == TaskKind.FUTURE && this.task instanceof Future<?> future) {
			future.cancel(false);
		}
	}

	/**
	 * Frees the place in the queue. For whoever has dropped the task and whoever has
	 * submitted it, since either may be first.
	 */
	void dequeue() {
		Runnable held = this.queued;
		if (this.pool != null && held != null && this.state.get() == DROPPED) {
			this.pool.remove(held);
		}
	}

	/**
	 * Ends the watch; done once, however often it is asked for.
	 */
	void forget() {
		if (this.watch != null) {
			this.watch.end();
		}
	}

}
