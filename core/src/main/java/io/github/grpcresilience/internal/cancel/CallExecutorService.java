package io.github.grpcresilience.internal.cancel;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RunnableFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * An executor whose tasks run for the call that submits them. Safe for concurrent use, as
 * far as the executor is that it stands around.
 */
final class CallExecutorService extends AbstractExecutorService {

	private final ExecutorService executor;

	private final CallTasks tasks;

	private final @Nullable ThreadPoolExecutor pool;

	CallExecutorService(ExecutorService executor, CallTasks tasks) {
		this.executor = executor;
		this.tasks = tasks;
		this.pool = (executor instanceof ThreadPoolExecutor threads) ? threads : null;
	}

	private static boolean isInCall() {
		return CallScope.current() != null;
	}

	@Override
	public void execute(Runnable task) {
		this.tasks.execute(task, this.executor, this.pool);
	}

	@Override
	protected <T extends @Nullable Object> RunnableFuture<T> newTaskFor(Runnable task, T value) {
		return new CallFuture<>(task, value);
	}

	@Override
	protected <T extends @Nullable Object> RunnableFuture<T> newTaskFor(Callable<T> task) {
		return new CallFuture<>(task);
	}

	@Override
	public Future<?> submit(Runnable task) {
		return isInCall() ? super.submit(task) : this.executor.submit(task);
	}

	@Override
	public <T extends @Nullable Object> Future<T> submit(Runnable task, T result) {
		return isInCall() ? super.submit(task, result) : this.executor.submit(task, result);
	}

	@Override
	public <T extends @Nullable Object> Future<T> submit(Callable<T> task) {
		return isInCall() ? super.submit(task) : this.executor.submit(task);
	}

	@Override
	public <T extends @Nullable Object> List<Future<T>> invokeAll(Collection<? extends Callable<T>> tasks)
			throws InterruptedException {
		return isInCall() ? super.invokeAll(tasks) : this.executor.invokeAll(tasks);
	}

	@Override
	public <T extends @Nullable Object> List<Future<T>> invokeAll(Collection<? extends Callable<T>> tasks, long timeout,
			TimeUnit unit) throws InterruptedException {
		return isInCall() ? super.invokeAll(tasks, timeout, unit) : this.executor.invokeAll(tasks, timeout, unit);
	}

	@Override
	public <T extends @Nullable Object> T invokeAny(Collection<? extends Callable<T>> tasks)
			throws InterruptedException, ExecutionException {
		return isInCall() ? super.invokeAny(failing(tasks)) : this.executor.invokeAny(tasks);
	}

	@Override
	public <T extends @Nullable Object> T invokeAny(Collection<? extends Callable<T>> tasks, long timeout,
			TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
		return isInCall() ? super.invokeAny(failing(tasks), timeout, unit)
				: this.executor.invokeAny(tasks, timeout, unit);
	}

	/**
	 * What waits in here waits for one of these to return, so none of them is dropped.
	 */
	private static <T extends @Nullable Object> List<Callable<T>> failing(Collection<? extends Callable<T>> tasks) {
		return tasks.stream().<Callable<T>>map((task) -> () -> {
			CallScope scope = CallScope.current();
			if (scope != null && scope.call().hasEnded()) {
				throw CallEnd.failure(scope.call(), "task", null);
			}
			return task.call();
		}).toList();
	}

	@Override
	public void shutdown() {
		this.executor.shutdown();
	}

	@Override
	public List<Runnable> shutdownNow() {
		return this.executor.shutdownNow()
			.stream()
			.map((task) -> (task instanceof CallTask wrapped) ? wrapped.task() : task)
			.toList();
	}

	@Override
	public boolean isShutdown() {
		return this.executor.isShutdown();
	}

	@Override
	public boolean isTerminated() {
		return this.executor.isTerminated();
	}

	@Override
	public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
		return this.executor.awaitTermination(timeout, unit);
	}

	@Override
	public String toString() {
		return "calls of " + this.executor;
	}

}
