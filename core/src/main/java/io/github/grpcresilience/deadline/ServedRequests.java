package io.github.grpcresilience.deadline;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;

import io.github.grpcresilience.policy.DeadlinePolicy;
import io.github.grpcresilience.time.Timer;
import io.github.grpcresilience.time.UntimedScheduler;

/**
 * Requests that are no gRPC calls and that gRPC calls, statements and tasks are made for.
 * Safe for concurrent use.
 */
public final class ServedRequests {

	private final Deadline.Ticker ticker;

	private final Timer timer;

	private final Executor cancellations;

	private final UnaryOperator<Context> work;

	private final AtomicInteger open = new AtomicInteger();

	/**
	 * Creates the requests' home.
	 * @param ticker source of time
	 * @param timer ends the budgets
	 * @param cancellations runs cancellation listeners of the application; its threads
	 * may be blocked by them
	 * @param work the Context in which work goes on after the answer, for the Context of
	 * a request
	 */
	public ServedRequests(Deadline.Ticker ticker, Timer timer, Executor cancellations, UnaryOperator<Context> work) {
		this.ticker = ticker;
		this.timer = timer;
		this.cancellations = cancellations;
		this.work = work;
	}

	/**
	 * Begins a request that has a budget, from now on.
	 * @param budget the budget; a deadline of the current Context that is earlier stays
	 * @return the request, which somebody must end
	 * @throws IllegalArgumentException if the budget is not positive
	 */
	public ServedRequest open(Duration budget) {
		if (budget.isZero() || budget.isNegative()) {
			throw new IllegalArgumentException("budget must be positive, but was " + budget);
		}
		return open(nanos(budget));
	}

	/**
	 * Begins a request that may take as long as it likes.
	 * @return the request, which somebody must end
	 */
	public ServedRequest open() {
		return open(DeadlinePolicy.UNLIMITED);
	}

	/**
	 * Requests that have begun and not ended.
	 * @return a momentary number
	 */
	public int inFlight() {
		return this.open.get();
	}

	private ServedRequest open(long nanos) {
		ServedRequest request = new ServedRequest(this.cancellations, this.open::decrementAndGet);
		Context values = Context.current().withValue(ServedRequest.KEY, request);
		CancellableContext own = (nanos != DeadlinePolicy.UNLIMITED) ? values
			.withDeadline(Deadline.after(nanos, TimeUnit.NANOSECONDS, this.ticker), UntimedScheduler.INSTANCE)
				: values.withCancellation();
		this.open.incrementAndGet();
		request.begin(own, this.work.apply(own), this.timer);
		return request;
	}

	private static long nanos(Duration budget) {
		return (budget.toSeconds() < Long.MAX_VALUE / 1_000_000_000L) ? budget.toNanos() : DeadlinePolicy.UNLIMITED;
	}

}
