package io.github.grpcresilience.fleet;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;

import io.github.grpcresilience.Shop;

/**
 * Calls at a constant rate, whatever becomes of those before, as long as no more than so
 * many are under way: a machine that cannot keep up would else be all that is measured.
 * Safe for concurrent use.
 */
final class Load {

	private final Channel channel;

	private final int perSecond;

	private final Duration deadline;

	private final int mostInFlight;

	private final Semaphore places;

	private final Map<String, LongAdder> answersByReplica = new ConcurrentHashMap<>();

	private final Map<Status.Code, LongAdder> failuresByCode = new ConcurrentHashMap<>();

	private final AtomicLong sent = new AtomicLong();

	private final AtomicLong lastFailureNanos = new AtomicLong();

	private final AtomicLong sentAtLastFailure = new AtomicLong();

	private final Thread caller = new Thread(this::run, "load");

	private volatile boolean stopped;

	private volatile Status lastFailure = Status.OK;

	Load(Channel channel, int perSecond, int mostInFlight, Duration deadline) {
		this.channel = channel;
		this.perSecond = perSecond;
		this.mostInFlight = mostInFlight;
		this.places = new Semaphore(mostInFlight);
		this.deadline = deadline;
	}

	Load start() {
		this.caller.start();
		return this;
	}

	/**
	 * Sends no more, and waits for what was sent.
	 */
	void stop() throws InterruptedException {
		this.stopped = true;
		this.caller.join();
		this.places.acquire(this.mostInFlight);
	}

	private void run() {
		long start = System.nanoTime();
		for (long i = 0; !this.stopped; i++) {
			LockSupport.parkNanos(start + i * TimeUnit.SECONDS.toNanos(1) / this.perSecond - System.nanoTime());
			this.places.acquireUninterruptibly();
			this.sent.incrementAndGet();
			ClientCalls.asyncUnaryCall(
					this.channel.newCall(Shop.UNARY,
							CallOptions.DEFAULT.withDeadlineAfter(this.deadline.toMillis(), TimeUnit.MILLISECONDS)),
					"0", new Answer());
		}
	}

	long sent() {
		return this.sent.get();
	}

	long answersOf(String replica) {
		LongAdder answers = this.answersByReplica.get(replica);
		return (answers != null) ? answers.sum() : 0;
	}

	long failures() {
		return this.failuresByCode.values().stream().mapToLong(LongAdder::sum).sum();
	}

	/** How many calls were sent since one has failed. */
	long sentSinceLastFailure() {
		return sent() - this.sentAtLastFailure.get();
	}

	/** One of them; OK if there was none. */
	Status lastFailure() {
		return this.lastFailure;
	}

	/** As {@link System#nanoTime()}; meaningless if there was none. */
	long lastFailureNanos() {
		return this.lastFailureNanos.get();
	}

	@Override
	public String toString() {
		return "%d calls at %d/s, answers %s, failures %s".formatted(sent(), this.perSecond,
				new TreeMap<>(this.answersByReplica), new TreeMap<>(this.failuresByCode));
	}

	private final class Answer implements StreamObserver<String> {

		@Override
		public void onNext(String replica) {
			Load.this.answersByReplica.computeIfAbsent(replica, (name) -> new LongAdder()).increment();
		}

		@Override
		public void onError(Throwable thrown) {
			Status failure = Status.fromThrowable(thrown);
			Load.this.lastFailure = failure;
			Load.this.lastFailureNanos.set(System.nanoTime());
			Load.this.sentAtLastFailure.set(sent());
			Load.this.failuresByCode.computeIfAbsent(failure.getCode(), (code) -> new LongAdder()).increment();
			Load.this.places.release();
		}

		@Override
		public void onCompleted() {
			Load.this.places.release();
		}

	}

}
