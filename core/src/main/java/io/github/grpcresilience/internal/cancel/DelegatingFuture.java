package io.github.grpcresilience.internal.cancel;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;

/**
 * What stands around a task that is a future, and is one as well: whoever empties a
 * queue, such as a pool that is shut down, cancels the futures in it.
 */
interface DelegatingFuture extends Future<@Nullable Object> {

	/**
	 * The task.
	 */
	Future<?> future();

	@Override
	default boolean cancel(boolean mayInterruptIfRunning) {
		return future().cancel(mayInterruptIfRunning);
	}

	@Override
	default boolean isCancelled() {
		return future().isCancelled();
	}

	@Override
	default boolean isDone() {
		return future().isDone();
	}

	@Override
	default @Nullable Object get() throws InterruptedException, ExecutionException {
		return future().get();
	}

	@Override
	default @Nullable Object get(long timeout, TimeUnit unit)
			throws InterruptedException, ExecutionException, TimeoutException {
		return future().get(timeout, unit);
	}

}
