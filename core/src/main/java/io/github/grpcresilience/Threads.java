package io.github.grpcresilience;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.grpcresilience.internal.time.CoarseTimer;

/**
 * Every thread of an instance. The pools stand apart from each other by who may block
 * their threads, so that nobody waits for another's code. Their threads are daemons and
 * end when idle. What comes after a pool has ended runs on the thread that brings it: a
 * call that waits for its end must not wait for ever.
 */
final class Threads implements AutoCloseable {

	private static final int IDLE_SECONDS = 10;

	/**
	 * Cancels wait for a network: a few at a time are enough, and many would be a storm.
	 */
	private static final int LANE_THREADS = 8;

	private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

	/** Answers that the time is up; interceptors further out may block them. */
	private final ThreadPoolExecutor answers = pool("answer", Math.max(2, PROCESSORS));

	/** Cancels Contexts: the application's listeners may block them. */
	private final ThreadPoolExecutor cancellations = pool("cancel", 4 * Math.max(2, PROCESSORS));

	/** Tells callers of refusals: the application's listeners may block them. */
	private final ThreadPoolExecutor refusals = pool("refuse", Math.max(2, PROCESSORS));

	/** Begins further attempts: the application's interceptors may block them. */
	private final ThreadPoolExecutor attempts = pool("attempt", Math.max(8, 4 * PROCESSORS));

	/** Sends heartbeats, tells of the ends of streams: the application may block them. */
	private final ThreadPoolExecutor streams = pool("stream", 4 * Math.max(2, PROCESSORS));

	/**
	 * Stops work: drivers and connections may block them. They mostly wait for a network,
	 * so there are many.
	 */
	private final ThreadPoolExecutor stops = pool("stop", Math.max(32, 4 * PROCESSORS));

	/** A few for each data source; their number is that of the data sources. */
	private final List<ThreadPoolExecutor> lanes = new CopyOnWriteArrayList<>();

	/** One thread, which runs nothing of anybody's. */
	private final CoarseTimer timer = new CoarseTimer(this.answers);

	private static ThreadPoolExecutor pool(String name, int threads) {
		AtomicInteger number = new AtomicInteger();
		ThreadPoolExecutor pool = new ThreadPoolExecutor(threads, threads, IDLE_SECONDS, TimeUnit.SECONDS,
				new LinkedBlockingQueue<>(), (task) -> {
					Thread thread = new Thread(task, "grpc-resilience-" + name + "-" + number.incrementAndGet());
					thread.setDaemon(true);
					return thread;
				}, (task, ended) -> task.run());
		pool.allowCoreThreadTimeOut(true);
		return pool;
	}

	CoarseTimer timer() {
		return this.timer;
	}

	Executor cancellations() {
		return this.cancellations;
	}

	Executor refusals() {
		return this.refusals;
	}

	Executor attempts() {
		return this.attempts;
	}

	Executor streams() {
		return this.streams;
	}

	Executor stops() {
		return this.stops;
	}

	Executor newLane() {
		ThreadPoolExecutor lane = pool("sql-" + (this.lanes.size() + 1), LANE_THREADS);
		this.lanes.add(lane);
		return lane;
	}

	@Override
	public void close() {
		this.timer.close();
		this.answers.shutdown();
		this.cancellations.shutdown();
		this.refusals.shutdown();
		this.attempts.shutdown();
		this.streams.shutdown();
		this.stops.shutdown();
		this.lanes.forEach(ThreadPoolExecutor::shutdown);
	}

}
