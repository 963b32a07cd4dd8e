package io.github.grpcresilience.internal.cancel;

import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;

import org.jspecify.annotations.Nullable;

/**
 * A task of a call that is a future.
 */
final class CallTaskFuture extends CallTask implements DelegatingFuture {

	private final Future<?> future;

	CallTaskFuture(Runnable task, Future<?> future, Submission submission, WorkCanceller canceller,
			@Nullable ThreadPoolExecutor pool) {
		super(task, TaskKind.FUTURE, submission, canceller, pool);
		this.future = future;
	}

	@Override
	public Future<?> future() {
		return this.future;
	}

}
