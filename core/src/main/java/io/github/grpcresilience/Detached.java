package io.github.grpcresilience;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.cancel.OwnContext;

/**
 * Background work that outlives the call which begins it. It keeps the values of the
 * call's {@link Context}, such as its trace, but is not cancelled with the call, does not
 * inherit its deadline, and has a deadline of its own. When that passes, the work is
 * cancelled as a call's would be.
 */
public final class Detached {

	/** Holds deadlines that have not passed; its thread ends when it holds none. */
	private static final ScheduledThreadPoolExecutor DEADLINES = deadlines();

	private Detached() {
	}

	private static ScheduledThreadPoolExecutor deadlines() {
		ScheduledThreadPoolExecutor deadlines = new ScheduledThreadPoolExecutor(1, (task) -> {
			Thread thread = new Thread(task, "grpc-resilience-detached");
			thread.setDaemon(true);
			return thread;
		});
		deadlines.setRemoveOnCancelPolicy(true);
		deadlines.setKeepAliveTime(10, TimeUnit.SECONDS);
		deadlines.allowCoreThreadTimeOut(true);
		return deadlines;
	}

	/**
	 * Makes a task that may outlive the current call, for an executor of any kind.
	 * @param budget how long it may take, from now on; positive
	 * @param task what to do, on whatever thread runs the result
	 * @return the task to execute, once
	 * @throws IllegalArgumentException if the budget is not positive
	 */
	public static Runnable task(Duration budget, Runnable task) {
		CallRecord record = record(budget);
		return new DetachedTask(context(record), record, task);
	}

	/**
	 * Begins work that may outlive the current call: what runs here sees the detached
	 * Context and budget, and so do the calls and requests that it begins, and its tasks
	 * where they belong to calls. The Context lasts until the budget is over.
	 * @param budget how long the work may take, from now on; positive
	 * @param beginning what begins the work; runs on this thread
	 * @param <T> type of the result
	 * @return what the beginning returned
	 * @throws Exception what the beginning threw
	 * @throws IllegalArgumentException if the budget is not positive
	 */
	public static <T> T call(Duration budget, Callable<T> beginning) throws Exception {
		CallRecord record = record(budget);
		return context(record).call(() -> CallScope.ofTask(record).call(beginning));
	}

	/**
	 * Begins work that may outlive the current call, as {@link #call} does.
	 * @param budget how long the work may take, from now on; positive
	 * @param beginning what begins the work; runs on this thread
	 * @throws IllegalArgumentException if the budget is not positive
	 */
	public static void run(Duration budget, Runnable beginning) {
		CallRecord record = record(budget);
		context(record).run(() -> CallScope.ofTask(record).run(beginning));
	}

	private static CallRecord record(Duration budget) {
		if (budget.isZero() || budget.isNegative()) {
			throw new IllegalArgumentException("budget must be positive, but was " + budget);
		}
		long nanos = (budget.toSeconds() < Long.MAX_VALUE / 1_000_000_000L) ? budget.toNanos() : CallRecord.UNLIMITED;
		return new CallRecord(Deadline.getSystemTicker(), false).within(nanos).detached();
	}

	private static CancellableContext context(CallRecord record) {
		CancellableContext context = Context.current()
			.fork()
			.withValue(ServedCall.KEY, null)
			.withDeadlineAfter(record.remainingNanos(), TimeUnit.NANOSECONDS, DEADLINES);
		context.addListener((ended) -> {
			if (ended.cancellationCause() != null && record.end(true)) {
				record.tell();
			}
		}, Runnable::run);
		return context;
	}

	/** Releases the deadline when the work is done. */
	private record DetachedTask(CancellableContext context, CallRecord record, Runnable task) implements OwnContext {

		@Override
		public void run() {
			Context previous = this.context.attach();
			try {
				CallScope.ofTask(this.record).run(this.task);
			}
			finally {
				this.record.answer();
				this.context.detachAndCancel(previous, null);
			}
		}

	}

}
