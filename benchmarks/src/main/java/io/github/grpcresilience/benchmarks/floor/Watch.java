package io.github.grpcresilience.benchmarks.floor;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

import org.jspecify.annotations.Nullable;

/**
 * A timer for calls that nearly always end in time: they are its entries themselves, and
 * nobody tells it that they ended. A thread looks 20 times a second.
 */
final class Watch implements AutoCloseable {

	private static final long LOOK_NANOS = 50_000_000;

	private final AtomicReference<@Nullable Entry> added = new AtomicReference<>();

	private final Executor executor;

	private final Thread thread = new Thread(this::run, "floor-watch");

	/** Confined to the thread. */
	private final List<Entry> watched = new ArrayList<>();

	private volatile boolean closed;

	Watch(Executor executor) {
		this.executor = executor;
		this.thread.setDaemon(true);
		this.thread.start();
	}

	void add(Entry entry) {
		do {
			entry.next(this.added.get());
		}
		while (!this.added.compareAndSet(entry.next(), entry));
		if (entry.dueNanos() - System.nanoTime() < LOOK_NANOS) {
			LockSupport.unpark(this.thread);
		}
	}

	private void run() {
		while (!this.closed) {
			Entry entry = this.added.getAndSet(null);
			while (entry != null) {
				Entry next = entry.next();
				entry.next(null);
				this.watched.add(entry);
				entry = next;
			}
			LockSupport.parkNanos(this, look());
		}
	}

	private long look() {
		long now = System.nanoTime();
		long wait = LOOK_NANOS;
		this.watched.removeIf((entry) -> {
			if (entry.isOver()) {
				return true;
			}
			if (entry.dueNanos() - now > 0) {
				return false;
			}
			this.executor.execute(entry::expire);
			return true;
		});
		for (Entry entry : this.watched) {
			wait = Math.min(wait, entry.dueNanos() - now);
		}
		return wait;
	}

	@Override
	public void close() {
		this.closed = true;
		LockSupport.unpark(this.thread);
	}

	/**
	 * What ends at a time.
	 */
	interface Entry {

		/** Of {@link System#nanoTime()}. */
		long dueNanos();

		boolean isOver();

		void expire();

		@Nullable Entry next();

		void next(@Nullable Entry next);

	}

}
