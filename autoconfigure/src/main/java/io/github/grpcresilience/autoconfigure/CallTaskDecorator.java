package io.github.grpcresilience.autoconfigure;

import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Supplier;

import io.grpc.Context;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.task.TaskDecorator;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.cancel.CallTasks;

/**
 * Makes tasks run for the call that submits them. Stands right around the task, whose
 * class tells how to treat it; the application's decorator stands around that.
 */
final class CallTaskDecorator implements TaskDecorator {

	private final SingletonSupplier<CallTasks> tasks;

	private final TaskDecorator outer;

	private final Supplier<@Nullable ThreadPoolExecutor> pool;

	CallTaskDecorator(ObjectProvider<CallTasks> tasks) {
		this(tasks, (task) -> task, () -> null);
	}

	/**
	 * Creates a decorator for one executor.
	 * @param tasks asked for when the first call submits something
	 * @param outer the application's decorator
	 * @param pool where tasks wait for their turn, once it has been initialized
	 */
	CallTaskDecorator(ObjectProvider<CallTasks> tasks, TaskDecorator outer,
			Supplier<@Nullable ThreadPoolExecutor> pool) {
		this.tasks = SingletonSupplier.of(tasks::getObject);
		this.outer = outer;
		this.pool = pool;
	}

	@Override
	public Runnable decorate(Runnable task) {
		if (Context.current() == Context.ROOT) {
			return this.outer.decorate(task);
		}
		return this.tasks.obtain().wrap(task, this.outer::decorate, this.pool.get());
	}

}
