package io.github.grpcresilience.cancel;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import org.jspecify.annotations.Nullable;

/**
 * A task that is a future: whoever empties a queue, such as a pool that is shut down,
 * cancels the futures in it.
 */
final class CallTaskFuture extends CallTask implements Future<@Nullable Object> {

	private final Future<?> future;

	CallTaskFuture(Runnable task, Future<?> future, Context context, WorkCanceller canceller,
			@Nullable ThreadPoolExecutor pool) {
		super(task, TaskKind.FUTURE, context, canceller, pool);
		this.future = future;
	}

	@Override
	public boolean cancel(boolean mayInterruptIfRunning) {
		return this.future.cancel(mayInterruptIfRunning);
	}

	@Override
	public boolean isCancelled() {
		return this.future.isCancelled();
	}

	@Override
	public boolean isDone() {
		return this.future.isDone();
	}

	@Override
	public @Nullable Object get() throws InterruptedException, ExecutionException {
		return this.future.get();
	}

	@Override
	public @Nullable Object get(long timeout, TimeUnit unit)
			throws InterruptedException, ExecutionException, TimeoutException {
		return this.future.get(timeout, unit);
	}

}
