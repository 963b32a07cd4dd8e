package io.github.grpcresilience.internal.time;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Takes tasks and never runs them. {@code Context.withDeadline} insists on a scheduler to
 * cancel the Context with; where something else cancels it in time, such as the answer to
 * the call, a second timer per call would have nothing to do. Immutable, safe for
 * concurrent use.
 */
public final class UntimedScheduler extends AbstractExecutorService implements ScheduledExecutorService {

	/** The only one there needs to be. */
	public static final UntimedScheduler INSTANCE = new UntimedScheduler();

	private static final Never NEVER = new Never();

	private UntimedScheduler() {
	}

	@Override
	public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
		return NEVER;
	}

	@Override
	@SuppressWarnings("unchecked")
	public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
		return (ScheduledFuture<V>) NEVER;
	}

	@Override
	public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initialDelay, long period, TimeUnit unit) {
		return NEVER;
	}

	@Override
	public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initialDelay, long delay, TimeUnit unit) {
		return NEVER;
	}

	@Override
	public void execute(Runnable command) {
		throw new IllegalStateException("only Context.withDeadline uses this scheduler");
	}

	@Override
	public void shutdown() {
		// Nothing to end: there is no thread and no task.
	}

	@Override
	public List<Runnable> shutdownNow() {
		return List.of();
	}

	@Override
	public boolean isShutdown() {
		return false;
	}

	@Override
	public boolean isTerminated() {
		return false;
	}

	@Override
	public boolean awaitTermination(long timeout, TimeUnit unit) {
		return false;
	}

	private static final class Never implements ScheduledFuture<Object> {

		@Override
		public long getDelay(TimeUnit unit) {
			return Long.MAX_VALUE;
		}

		@Override
		public int compareTo(Delayed other) {
			return (other == this) ? 0 : 1;
		}

		@Override
		public boolean cancel(boolean mayInterruptIfRunning) {
			return true;
		}

		@Override
		public boolean isCancelled() {
			return false;
		}

		@Override
		public boolean isDone() {
			return false;
		}

		@Override
		public Object get() {
			throw new IllegalStateException("never done");
		}

		@Override
		public Object get(long timeout, TimeUnit unit) {
			throw new IllegalStateException("never done");
		}

	}

}
