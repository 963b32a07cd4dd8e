package io.github.grpcresilience;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import io.grpc.Deadline;

import io.github.grpcresilience.internal.time.CoarseTimer;
import io.github.grpcresilience.internal.time.Timeout;
import io.github.grpcresilience.internal.time.Timer;

/**
 * Time that passes faster, for what waits for seconds beside real databases.
 */
public final class FastTime extends Deadline.Ticker implements Timer, AutoCloseable {

	private final int factor;

	private final ExecutorService executor = Executors.newFixedThreadPool(2);

	private final CoarseTimer timer = new CoarseTimer(this.executor);

	public FastTime(int factor) {
		this.factor = factor;
	}

	@Override
	public long nanoTime() {
		return System.nanoTime() * this.factor;
	}

	@Override
	public Timeout schedule(long delayNanos, Runnable action) {
		return this.timer.schedule(delayNanos / this.factor, action);
	}

	@Override
	public void close() {
		this.timer.close();
		this.executor.shutdown();
	}

}
