package io.github.grpcresilience;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Executors for what timers and transports hand over. Their threads are daemons and end
 * when idle. What comes after an executor has ended runs on the thread that brings it: a
 * call that waits for its end must not wait for ever.
 */
final class HandOver {

	private static final int IDLE_SECONDS = 10;

	private HandOver() {
	}

	static ThreadPoolExecutor executor(String name, int threads) {
		AtomicInteger number = new AtomicInteger();
		ThreadPoolExecutor executor = new ThreadPoolExecutor(threads, threads, IDLE_SECONDS, TimeUnit.SECONDS,
				new LinkedBlockingQueue<>(), (task) -> {
					Thread thread = new Thread(task, "grpc-resilience-" + name + "-" + number.incrementAndGet());
					thread.setDaemon(true);
					return thread;
				}, (task, ended) -> task.run());
		executor.allowCoreThreadTimeOut(true);
		return executor;
	}

}
