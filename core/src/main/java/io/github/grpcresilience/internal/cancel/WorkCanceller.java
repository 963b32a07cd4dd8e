package io.github.grpcresilience.internal.cancel;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

import io.grpc.Deadline;

import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.WorkAfterEnd;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.event.WorkFate;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.internal.time.Timeout;
import io.github.grpcresilience.internal.time.Timer;

/**
 * Where the cancelling of work runs: never on the thread that ends a call, which may be a
 * transport's, and on a bounded number of threads. Counts what was stopped, and tells of
 * work that goes on. Safe for concurrent use.
 */
public final class WorkCanceller {

	private final boolean enforced;

	private final Executor cancellations;

	private final Supplier<Executor> lanes;

	private final Timer timer;

	private final Deadline.Ticker ticker;

	private final WorkCounts counts;

	private final EventSink events;

	/** What was told: kinds of work and methods, so their number is bounded. */
	private final Set<Told> told = ConcurrentHashMap.newKeySet();

	/**
	 * Creates the canceller.
	 * @param enforced {@code false} to count only
	 * @param cancellations runs what tells work to stop; may be blocked by connections
	 * @param lanes makes a few threads apart from all others
	 * @param timer asks for what has not stopped
	 * @param ticker source of time
	 * @param counts counts what was stopped
	 * @param events is told of work that goes on
	 */
	public WorkCanceller(boolean enforced, Executor cancellations, Supplier<Executor> lanes, Timer timer,
			Deadline.Ticker ticker, WorkCounts counts, EventSink events) {
		this.enforced = enforced;
		this.cancellations = cancellations;
		this.lanes = lanes;
		this.timer = timer;
		this.ticker = ticker;
		this.counts = counts;
		this.events = events;
	}

	/**
	 * Cancels nothing, for what is left of an application that has ended.
	 * @return a canceller that holds on to nobody
	 */
	public static WorkCanceller none() {
		return new WorkCanceller(false, Runnable::run, () -> Runnable::run, Timer.never(), Deadline.getSystemTicker(),
				new WorkCounts(), (event) -> {
				});
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
	 * Time of now.
	 * @return nanoseconds, as good as {@link System#nanoTime}
	 */
	public long nanoTime() {
		return this.ticker.nanoTime();
	}

	/**
	 * Tells work to stop. Returns at once.
	 * @param action what tells it; may block
	 */
	public void cancel(Runnable action) {
		this.cancellations.execute(action);
	}

	/**
	 * A few threads for what may block for long, such as the cancels of one database: so
	 * that one that does not answer keeps nobody else's from being told.
	 * @return an executor; asked for once by whoever needs it
	 */
	public Executor newLane() {
		return this.lanes.get();
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

	/**
	 * Counts work that was begun after the end of its call and refused, and tells of it
	 * where decisions take effect.
	 * @param work kind of the work
	 * @param call the call
	 */
	public void refused(Work work, CallRecord call) {
		this.counts.refused(work);
		tell(work, WorkFate.REFUSED, call);
	}

	/**
	 * Tells, once per kind and method, what became of work that went on after the end of
	 * its call.
	 * @param work kind of the work
	 * @param fate what became of it
	 * @param call the call
	 */
	public void tell(Work work, WorkFate fate, CallRecord call) {
		if (this.enforced && this.told.add(new Told(work, fate, call.subject()))) {
			this.events.accept(new WorkAfterEnd(Side.SERVER, call.subject(), null, work, fate));
		}
	}

	private record Told(Work work, WorkFate fate, String subject) {
	}

}
