package io.github.grpcresilience.cancel;

import java.util.concurrent.Executor;

import io.grpc.Context;

import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.time.Timeout;
import io.github.grpcresilience.time.Timer;

/**
 * Where the cancelling of work runs: never on the thread that cancels a call's Context,
 * which may be a transport's, and on a bounded number of threads. Safe for concurrent
 * use.
 */
public final class WorkCanceller {

	private final boolean enforced;

	private final Executor cancellations;

	private final Executor aborts;

	private final Timer timer;

	private final WorkCounts counts;

	/**
	 * Creates the canceller.
	 * @param enforced {@code false} to count only
	 * @param cancellations runs what tells work to stop; may be blocked by drivers
	 * @param aborts runs what closes connections underneath work that does not stop;
	 * apart from the others, because they are needed when the others are blocked
	 * @param timer asks for what has not stopped
	 * @param counts counts what was stopped
	 */
	public WorkCanceller(boolean enforced, Executor cancellations, Executor aborts, Timer timer, WorkCounts counts) {
		this.enforced = enforced;
		this.cancellations = cancellations;
		this.aborts = aborts;
		this.timer = timer;
		this.counts = counts;
	}

	/**
	 * Whether decisions take effect.
	 * @return {@code false} to count only
	 */
	public boolean isEnforced() {
		return this.enforced;
	}

	/**
	 * What was stopped.
	 * @return the counts
	 */
	public WorkCounts counts() {
		return this.counts;
	}

	/**
	 * The Context in which work goes on that is begun on another thread: it is cancelled
	 * when the call is abandoned, and not when it is answered.
	 * @param begun Context of what begins the work
	 * @return the Context to attach where the work is done; {@code begun} itself where
	 * decisions are only counted
	 */
	public Context workContext(Context begun) {
		return this.enforced ? WorkContext.of(begun) : begun;
	}

	/**
	 * Tells work to stop. Returns at once.
	 * @param action what tells it; may block
	 */
	public void cancel(Runnable action) {
		this.cancellations.execute(action);
	}

	/**
	 * Closes what work uses that does not stop. Returns at once.
	 * @param action what closes it
	 */
	public void abort(Runnable action) {
		this.aborts.execute(action);
	}

	/**
	 * Looks after work later.
	 * @param delayNanos delay in nanoseconds
	 * @param action what to do then; must not block
	 * @return handle to cancel the action with
	 */
	public Timeout later(long delayNanos, Runnable action) {
		return this.timer.schedule(delayNanos, action);
	}

}
