package io.github.grpcresilience.autoconfigure;

import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;
import org.springframework.core.task.TaskDecorator;

import io.github.grpcresilience.cancel.CallTasks;

/**
 * Hands the call that submits a task on to it. Works around the decorator that an
 * executor has already, so that ours sees the task as it was submitted. Safe for
 * concurrent use.
 */
final class CallTaskDecorator implements TaskDecorator {

	private final Supplier<CallTasks> tasks;

	private final UnaryOperator<Runnable> inner;

	private final Supplier<@Nullable ThreadPoolExecutor> pool;

	CallTaskDecorator(Supplier<CallTasks> tasks, @Nullable TaskDecorator inner,
			Supplier<@Nullable ThreadPoolExecutor> pool) {
		this.tasks = tasks;
		this.inner = (inner != null) ? inner::decorate : UnaryOperator.identity();
		this.pool = pool;
	}

	@Override
	public Runnable decorate(Runnable task) {
		return this.tasks.get().wrap(task, this.inner, this.pool.get());
	}

}
