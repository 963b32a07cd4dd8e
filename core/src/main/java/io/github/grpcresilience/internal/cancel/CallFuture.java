package io.github.grpcresilience.internal.cancel;

import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

import org.jspecify.annotations.Nullable;

/**
 * A future that remembers what it was made for, which a {@link FutureTask} hides.
 */
final class CallFuture<V extends @Nullable Object> extends FutureTask<V> {

	private final TaskKind kind;

	/** A future that was submitted as a task, so that somebody may wait for it too. */
	private final @Nullable Future<?> inner;

	CallFuture(Callable<V> task) {
		super(task);
		TaskKind submitted = TaskKind.ofClass(task.getClass());
		this.kind = (submitted == TaskKind.FOREIGN) ? submitted : TaskKind.FUTURE;
		this.inner = null;
	}

	CallFuture(Runnable task, V value) {
		super(task, value);
		TaskKind submitted = TaskKind.of(task);
		this.kind = (submitted == TaskKind.PLAIN) ? TaskKind.FUTURE : submitted;
		this.inner = (task instanceof Future<?> future) ? future : null;
	}

	TaskKind kind() {
		return this.kind;
	}

	@Override
	protected void done() {
		if (this.inner != null && isCancelled()) {
			this.inner.cancel(false);
		}
	}

}
