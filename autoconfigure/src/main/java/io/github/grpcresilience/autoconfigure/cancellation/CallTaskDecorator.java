package io.github.grpcresilience.autoconfigure.cancellation;

import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.task.TaskDecorator;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.CallTasks;

/**
 * Decides to whom tasks belong that calls submit. Stands right around the task, whose
 * class tells how to treat it; the application's decorator stands around that.
 */
final class CallTaskDecorator implements TaskDecorator {

	private final SingletonSupplier<CallTasks> tasks;

	private final TaskDecorator outer;

	private final boolean owned;

	private final Supplier<@Nullable ThreadPoolExecutor> pool;

	/**
	 * Creates a decorator for one executor.
	 * @param tasks asked for when the first call submits something
	 * @param outer the application's decorator
	 * @param owned whether every task belongs to the call that submits it
	 * @param pool where tasks wait for their turn, once it has been initialized
	 */
	CallTaskDecorator(ObjectProvider<CallTasks> tasks, TaskDecorator outer, boolean owned,
			Supplier<@Nullable ThreadPoolExecutor> pool) {
		this.tasks = SingletonSupplier.of(tasks::getObject);
		this.outer = outer;
		this.owned = owned;
		this.pool = pool;
	}

	@Override
	public Runnable decorate(Runnable task) {
		if (CallScope.current() == null) {
			return this.outer.decorate(task);
		}
		boolean asked = AsyncFutures.take();
		return this.tasks.obtain().wrap(task, this.owned || asked, this.outer::decorate, this.pool.get());
	}

}
