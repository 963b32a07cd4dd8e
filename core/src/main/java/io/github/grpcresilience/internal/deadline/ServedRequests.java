package io.github.grpcresilience.internal.deadline;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Context;
import io.grpc.Deadline;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Inherited;
import io.github.grpcresilience.internal.time.Timer;
import io.github.grpcresilience.policy.CommitAfterEnd;

/**
 * Requests that are no gRPC calls and that gRPC calls, statements and tasks are made for.
 * Safe for concurrent use.
 */
public final class ServedRequests {

	private final Deadline.Ticker ticker;

	private final Timer timer;

	private final Executor cancellations;

	private final AtomicInteger open = new AtomicInteger();

	/**
	 * Creates the requests' home.
	 * @param ticker source of time
	 * @param timer ends the budgets
	 * @param cancellations tells the work of requests to stop
	 */
	public ServedRequests(Deadline.Ticker ticker, Timer timer, Executor cancellations) {
		this.ticker = ticker;
		this.timer = timer;
		this.cancellations = cancellations;
	}

	/**
	 * Begins a request that has a budget, from now on.
	 * @param budget the budget; what is left to what the request is made for, if that is
	 * less
	 * @return the request, which somebody must end
	 * @throws IllegalArgumentException if the budget is not positive
	 */
	public ServedRequest open(Duration budget) {
		return open(budget, CommitAfterEnd.ALLOW);
	}

	/**
	 * Begins a request that has a budget, from now on.
	 * @param budget the budget
	 * @param commits what becomes of transactions that are to be committed after the end
	 * @return the request, which somebody must end
	 * @throws IllegalArgumentException if the budget is not positive
	 */
	public ServedRequest open(Duration budget, CommitAfterEnd commits) {
		if (budget.isZero() || budget.isNegative()) {
			throw new IllegalArgumentException("budget must be positive, but was " + budget);
		}
		return open(nanos(budget), commits);
	}

	/**
	 * Begins a request that may take as long as it likes.
	 * @return the request, which somebody must end
	 */
	public ServedRequest open() {
		return open(CommitAfterEnd.ALLOW);
	}

	/**
	 * Begins a request that may take as long as it likes.
	 * @param commits what becomes of transactions that are to be committed after its
	 * client has left
	 * @return the request, which somebody must end
	 */
	public ServedRequest open(CommitAfterEnd commits) {
		return open(CallRecord.UNLIMITED, commits);
	}

	/**
	 * Requests that have begun and not ended.
	 * @return a momentary number
	 */
	public int inFlight() {
		return this.open.get();
	}

	private ServedRequest open(long nanos, CommitAfterEnd commits) {
		long inherited = Inherited.of(CallScope.current(), Context.current()).nanos();
		CallRecord record = new CallRecord(this.ticker, false).within(Math.min(nanos, inherited))
			.refusingLateCommits(commits == CommitAfterEnd.REFUSE);
		ServedRequest request = new ServedRequest(record, this.cancellations, this.open::decrementAndGet);
		this.open.incrementAndGet();
		request.begin(this.timer);
		return request;
	}

	private static long nanos(Duration budget) {
		return (budget.toSeconds() < Long.MAX_VALUE / 1_000_000_000L) ? budget.toNanos() : CallRecord.UNLIMITED;
	}

}
