package io.github.grpcresilience.internal.cancel;

import java.util.concurrent.Executor;

/**
 * An executor whose tasks run for the call that submits them.
 */
record CallExecutor(Executor executor, CallTasks tasks) implements Executor {

	@Override
	public void execute(Runnable task) {
		this.tasks.execute(task, this.executor, null);
	}

}
