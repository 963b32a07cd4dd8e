package io.github.grpcresilience;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;

import io.grpc.Deadline;

import io.github.grpcresilience.internal.time.Timeout;
import io.github.grpcresilience.internal.time.Timer;

/**
 * Time that stands still until a test moves it: ticker and timer in one. What is due runs
 * on the thread of the test, each at its own time. Others may schedule meanwhile.
 */
public final class FakeTime extends Deadline.Ticker implements Timer {

	/** Compares differences: as with any such clock, numbers may overflow. */
	private static final Comparator<Due> EARLIEST = (left, right) -> Long.signum(left.at - right.at);

	private final PriorityQueue<Due> schedule = new PriorityQueue<>(EARLIEST.thenComparingLong(Due::order));

	private long now;

	private long scheduled;

	public FakeTime() {
		this(1_234_567_890);
	}

	/**
	 * Begins at a certain number.
	 */
	public FakeTime(long now) {
		this.now = now;
	}

	@Override
	public synchronized long nanoTime() {
		return this.now;
	}

	@Override
	public synchronized Timeout schedule(long delayNanos, Runnable action) {
		Timeout timeout = Timer.never().schedule(delayNanos, action);
		this.schedule.add(new Due(this.now + Math.max(0, delayNanos), this.scheduled++, timeout));
		return timeout;
	}

	/**
	 * Lets time pass, with all that it brings.
	 */
	public void pass(Duration time) {
		long end = nanoTime() + time.toNanos();
		for (Due due = next(end); due != null; due = next(end)) {
			Runnable action = due.timeout.getAndSet(null);
			if (action != null) {
				action.run();
			}
		}
	}

	private synchronized Due next(long end) {
		Due first = this.schedule.peek();
		if (first == null || first.at - end > 0) {
			goTo(end);
			return null;
		}
		goTo(first.at);
		return this.schedule.remove();
	}

	/** Never back: the timer may lag behind. */
	private void goTo(long time) {
		if (time - this.now > 0) {
			this.now = time;
		}
	}

	/**
	 * Lets time pass before the timer notices.
	 */
	public synchronized void lag(Duration time) {
		this.now += time.toNanos();
	}

	/**
	 * What was scheduled, was not cancelled, and has not run.
	 */
	public synchronized long pending() {
		return this.schedule.stream().filter((due) -> due.timeout.get() != null).count();
	}

	private record Due(long at, long order, Timeout timeout) {
	}

}
