package io.github.grpcresilience.internal.cancel;

import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Context;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkFate;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;

/**
 * A task that belongs to the call in which it was submitted. Dropped at most once, and
 * only while it is queued. Safe for concurrent use.
 */
class CallTask implements Runnable {

	private static final int QUEUED = 0;

	private static final int RUNNING = 1;

	private static final int DROPPED = 2;

	private final Runnable task;

	private final TaskKind kind;

	private final Submission submission;

	private final WorkCanceller canceller;

	private final AtomicInteger state = new AtomicInteger(QUEUED);

	/** Written before the task is submitted; absent if there is nothing to watch for. */
	private @Nullable CallTaskWatch watch;

	/**
	 * What the pool holds for this task; absent until the task is about to be submitted.
	 */
	private volatile @Nullable Runnable queued;

	private final @Nullable ThreadPoolExecutor pool;

	CallTask(Runnable task, TaskKind kind, Submission submission, WorkCanceller canceller,
			@Nullable ThreadPoolExecutor pool) {
		this.task = task;
		this.kind = kind;
		this.submission = submission;
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
		forget();
		if (isToBeDropped()) {
			this.canceller.refused(Work.TASK, this.submission.call());
			if (this.canceller.isEnforced()) {
				cancelFuture();
				return;
			}
		}
		CallScope outer = this.submission.scope().enter();
		try {
			runInContext(this.submission.context());
		}
		finally {
			CallScope.leave(outer);
		}
	}

	private boolean isToBeDropped() {
		return this.kind.isDroppable() && this.submission.isObsolete();
	}

	private void runInContext(@Nullable Context context) {
		if (context == null) {
			runInterruptibly();
			return;
		}
		Context previous = context.attach();
		try {
			runInterruptibly();
		}
		finally {
			context.detach(previous);
		}
	}

	private void runInterruptibly() {
		CallRecord call = this.submission.call();
		if (!call.isInterruptible() || call.isAnswered()) {
			this.task.run();
			return;
		}
		Interruption interruption = Interruption.begin(call, this.canceller, Work.TASK);
		try {
			this.task.run();
		}
		finally {
			interruption.close();
		}
	}

	/**
	 * Called on the thread that ends the call, which must not block.
	 */
	void abandoned() {
		if (this.canceller.isEnforced() && this.state.get() == QUEUED && isToBeDropped()) {
			this.canceller.cancel(this::drop);
		}
	}

	private void drop() {
		if (this.state.compareAndSet(QUEUED, DROPPED)) {
			forget();
			this.canceller.counts().refused(Work.TASK);
			this.canceller.tell(Work.TASK, WorkFate.DROPPED, this.submission.call());
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

	/**
	 * What a task was submitted for. Immutable.
	 *
	 * @param scope the piece of work that the task is
	 * @param context gRPC's Context to attach; {@code null} to leave it alone
	 * @param late whether the call had ended by then
	 */
	record Submission(CallScope scope, @Nullable Context context, boolean late) {

		CallRecord call() {
			return this.scope.call();
		}

		/**
		 * Whether the call has ended meanwhile.
		 */
		boolean isObsolete() {
			return !this.late && call().hasEnded();
		}

	}

}
