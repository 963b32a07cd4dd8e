package io.github.grpcresilience.internal.time;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

/**
 * One thread for all timeouts of an application, made for timeouts that are nearly always
 * cancelled: a call pushes its timeout onto a lock-free stack and forgets it; the thread
 * looks at the stack ten times a second and finds most of it cancelled. It is woken early
 * only by a timeout that ends before its next look. The thread runs no action; it hands
 * them to an executor. Timeouts that end within half a millisecond end together.
 * (decision 3)
 */
public final class CoarseTimer implements Timer, AutoCloseable {

	private static final long LOOK_NANOS = 100_000_000;

	private static final long COARSENESS_NANOS = 500_000;

	private static final long AWAKE = Long.MIN_VALUE;

	private final long startedNanos = System.nanoTime();

	private final AtomicReference<@Nullable Timeout> added = new AtomicReference<>();

	private final Queue<Hurry> hurries = new ConcurrentLinkedQueue<>();

	private final Executor executor;

	private final Thread thread;

	/** Owned by the thread. */
	private final PriorityQueue<Timeout> queue = new PriorityQueue<>(Comparator.comparingLong((timeout) -> timeout.at));

	/** Written by the thread, read by those who add: when it will look next. */
	private volatile long sleepsUntil = AWAKE;

	/** Written by the thread. */
	private volatile int queued;

	private volatile boolean closed;

	/**
	 * Starts the timer.
	 * @param executor runs the actions; must not run them on the calling thread
	 */
	public CoarseTimer(Executor executor) {
		this.executor = executor;
		this.thread = new Thread(this::run, "grpc-resilience-timer");
		this.thread.setDaemon(true);
		this.thread.start();
	}

	@Override
	public Timeout schedule(long delayNanos, Runnable action) {
		long now = now();
		return add(new Timeout((delayNanos < Long.MAX_VALUE - now) ? now + delayNanos : Long.MAX_VALUE, action));
	}

	@Override
	public Timeout scheduleAt(long atNanos, Deadline.Ticker ticker, Runnable action) {
		// gRPC's ticker of the system is System.nanoTime, as ours is.
		return (ticker == Deadline.getSystemTicker()) ? add(new Timeout(atNanos - this.startedNanos, action))
				: Timer.super.scheduleAt(atNanos, ticker, action);
	}

	private Timeout add(Timeout timeout) {
		push(timeout);
		if (timeout.at < this.sleepsUntil) {
			LockSupport.unpark(this.thread);
		}
		return timeout;
	}

	private void push(Timeout timeout) {
		Timeout head;
		do {
			head = this.added.get();
			timeout.next = head;
		}
		while (!this.added.compareAndSet(head, timeout));
	}

	/**
	 * Hands over before their time what somebody chooses.
	 * @param which says what to hand over, by the action; called on the timer's thread:
	 * must neither block nor fail
	 * @param done run once these actions have run, on the thread of the last one or on
	 * the timer's: must neither block nor fail; never run if the timer ends before
	 */
	public void hurry(Predicate<Runnable> which, Runnable done) {
		this.hurries.add(new Hurry(which, new AtomicInteger(1), done));
		LockSupport.unpark(this.thread);
	}

	/**
	 * Timeouts that the timer still holds; a cancelled one is let go within 100 ms.
	 * @return a momentary number
	 */
	public int size() {
		int size = this.queued;
		for (Timeout timeout = this.added.get(); timeout != null; timeout = timeout.next) {
			size++;
		}
		return size;
	}

	/**
	 * Ends the thread; nothing expires any more.
	 */
	@Override
	public void close() {
		this.closed = true;
		LockSupport.unpark(this.thread);
	}

	private long now() {
		return System.nanoTime() - this.startedNanos;
	}

	private void run() {
		while (!this.closed) {
			this.sleepsUntil = AWAKE;
			handOverHurried();
			expireDue();
			// First say when the thread will wake, then look once more at what was added:
			// whoever adds later sees that time and wakes the thread if need be.
			this.sleepsUntil = nextLook();
			if (drain()) {
				this.sleepsUntil = nextLook();
			}
			sleep(this.sleepsUntil);
		}
		this.queue.clear();
		this.added.set(null);
	}

	private void sleep(long until) {
		if (until == Long.MAX_VALUE) {
			LockSupport.park(this);
		}
		else {
			long nanos = until - now();
			if (nanos > 0) {
				LockSupport.parkNanos(this, nanos);
			}
		}
	}

	private long nextLook() {
		Timeout first = this.queue.peek();
		return (first != null) ? Math.min(first.at, now() + LOOK_NANOS) : Long.MAX_VALUE;
	}

	private void expireDue() {
		drain();
		this.queue.removeIf(Timeout::isCancelled);
		long due = now() + COARSENESS_NANOS;
		Timeout first = this.queue.peek();
		while (first != null && first.at <= due) {
			this.queue.remove();
			handOver(first);
			first = this.queue.peek();
		}
		this.queued = this.queue.size();
	}

	private void handOverHurried() {
		for (Hurry hurry = this.hurries.poll(); hurry != null; hurry = this.hurries.poll()) {
			drain();
			handOver(hurry);
		}
	}

	private void handOver(Hurry hurry) {
		this.queue.removeIf((timeout) -> {
			Runnable action = timeout.get();
			boolean chosen = action != null && hurry.which().test(action);
			if (chosen && action != null && timeout.cancel()) {
				hurry.running().incrementAndGet();
				handOver(new Hurried(action, hurry));
			}
			return chosen;
		});
		hurry.ran();
	}

	/**
	 * Moves what was added and is still wanted into the queue.
	 */
	private boolean drain() {
		Timeout timeout = this.added.getAndSet(null);
		boolean drained = timeout != null;
		while (timeout != null) {
			Timeout next = timeout.next;
			timeout.next = null;
			if (!timeout.isCancelled()) {
				this.queue.add(timeout);
			}
			timeout = next;
		}
		this.queued = this.queue.size();
		return drained;
	}

	private void handOver(Timeout timeout) {
		Runnable action = timeout.getAndSet(null);
		if (action != null) {
			handOver(action);
		}
	}

	private void handOver(Runnable action) {
		try {
			this.executor.execute(action);
		}
		catch (RejectedExecutionException ex) {
			// The executor ends with the application, and every call with it.
		}
		catch (RuntimeException | Error ex) {
			// No memory or thread to be had: this thread must live, and ask again.
			push(new Timeout(now() + LOOK_NANOS, action));
		}
	}

	/**
	 * What is to be handed over before its time.
	 *
	 * @param which says what, by the action
	 * @param running actions that have not run yet, and one more until all are handed
	 * over
	 * @param done run once they have
	 */
	private record Hurry(Predicate<Runnable> which, AtomicInteger running, Runnable done) {

		void ran() {
			if (this.running.decrementAndGet() == 0) {
				this.done.run();
			}
		}

	}

	/**
	 * An action that was handed over before its time.
	 */
	private record Hurried(Runnable action, Hurry hurry) implements Runnable {

		@Override
		public void run() {
			try {
				this.action.run();
			}
			finally {
				this.hurry.ran();
			}
		}

	}

}
