package io.github.grpcresilience.internal.cancel;

import java.util.concurrent.Future;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * A task that a call began and that belongs to nobody: it sees no call, on whatever
 * thread it runs, that of the handler included. Immutable.
 */
sealed interface NobodysTask extends Runnable {

	/**
	 * What was submitted.
	 */
	Runnable task();

	static NobodysTask of(Runnable task) {
		return (task instanceof Future<?> future) ? new AFuture(task, future) : new Plain(task);
	}

	@Override
	default void run() {
		CallScope outer = CallScope.nobody().enter();
		try {
			task().run();
		}
		finally {
			CallScope.leave(outer);
		}
	}

	/** One that nobody can wait for. */
	record Plain(Runnable task) implements NobodysTask {
	}

	/** One that is a future. */
	record AFuture(Runnable task, Future<?> future) implements NobodysTask, DelegatingFuture {
	}

}
