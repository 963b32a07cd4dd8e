package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

/**
 * Runs the callbacks of an attempt on the executor of the call as long as it is the only
 * one, and on another executor from then on: a blocking stub stops running tasks once it
 * has its answer, and an attempt that has lost would never learn of its end. What was
 * handed to the stub before and has not begun runs on the other executor as well. Each
 * task runs once, wherever it begins first. Safe for concurrent use; takes no lock.
 */
final class AttemptExecutor extends AtomicReference<AttemptExecutor.@Nullable Task> implements Executor {

	private static final long serialVersionUID = 1L;

	private final transient Executor own;

	private final transient Executor others;

	private volatile boolean accompanied;

	/**
	 * For an attempt that is alone.
	 * @param own executor of the call
	 * @param others runs what the call's may never run
	 */
	AttemptExecutor(Executor own, Executor others) {
		this.own = own;
		this.others = others;
	}

	@Override
	public void execute(Runnable command) {
		if (this.accompanied) {
			this.others.execute(command);
			return;
		}
		Task task = new Task(command);
		Task last;
		do {
			last = get();
			task.before = notBegun(last);
		}
		while (!compareAndSet(last, task));
		// Only now: either this thread sees that it is late, or accompany() sees the
		// task.
		if (this.accompanied) {
			this.others.execute(task);
			return;
		}
		try {
			this.own.execute(task);
		}
		catch (RejectedExecutionException ex) {
			this.others.execute(task);
		}
	}

	private static @Nullable Task notBegun(@Nullable Task last) {
		Task task = last;
		while (task != null && task.hasBegun()) {
			task = task.before;
		}
		return task;
	}

	/**
	 * The attempt is not the only one any more. Called before another one is started.
	 * @param executor runs what was handed to the caller and has not begun
	 */
	void accompany(Executor executor) {
		this.accompanied = true;
		for (Task task = getAndSet(null); task != null; task = task.before) {
			if (!task.hasBegun()) {
				executor.execute(task);
			}
		}
	}

	/** Runs once. */
	static final class Task extends AtomicReference<@Nullable Runnable> implements Runnable {

		private static final long serialVersionUID = 1L;

		/** Handed over before it; written before publication. */
		private transient @Nullable Task before;

		Task(Runnable command) {
			super(command);
		}

		boolean hasBegun() {
			return get() == null;
		}

		@Override
		public void run() {
			Runnable command = getAndSet(null);
			if (command != null) {
				command.run();
			}
		}

	}

}
