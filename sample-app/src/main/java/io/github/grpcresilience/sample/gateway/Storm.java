package io.github.grpcresilience.sample.gateway;

import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import shop.v1.CheckoutReply;
import shop.v1.CheckoutRequest;
import shop.v1.OrdersGrpc.OrdersFutureStub;
import shop.v1.Simulation;

/**
 * Checkouts at a steady rate, whatever becomes of those before. Each is a request of its
 * own, within the default budget of a call. Confined to one thread, apart from the
 * answers.
 */
final class Storm {

	/**
	 * What waits in this service must have a bound, or its memory is what is measured.
	 */
	private static final int MOST_IN_FLIGHT = 5_000;

	private final OrdersFutureStub orders;

	private final CheckoutRequest request;

	private final Semaphore permits = new Semaphore(MOST_IN_FLIGHT);

	private final ConcurrentLinkedQueue<Long> answeredNanos = new ConcurrentLinkedQueue<>();

	private final ConcurrentMap<Status.Code, LongAdder> failures = new ConcurrentHashMap<>();

	Storm(OrdersFutureStub orders, CheckoutRequest request) {
		this.orders = orders;
		this.request = request;
	}

	Result blow(int rate, int seconds) throws InterruptedException {
		long start = System.nanoTime();
		int planned = rate * seconds;
		int sent = 0;
		for (int i = 0; i < planned; i++) {
			LockSupport.parkNanos(start + i * TimeUnit.SECONDS.toNanos(1) / rate - System.nanoTime());
			if (this.permits.tryAcquire()) {
				send();
				sent++;
			}
		}
		// Every call has a deadline, so they all end.
		this.permits.acquire(MOST_IN_FLIGHT);
		long[] nanos = this.answeredNanos.stream().mapToLong(Long::longValue).sorted().toArray();
		Map<Status.Code, Long> byCode = new TreeMap<>();
		this.failures.forEach((code, count) -> byCode.put(code, count.sum()));
		return new Result(rate, seconds, sent, nanos.length, (double) nanos.length / seconds, byCode,
				millis(nanos, 0.5), millis(nanos, 0.95));
	}

	private void send() {
		long start = System.nanoTime();
		Simulation wishes = this.request.getSimulation().toBuilder().setRequestId(UUID.randomUUID().toString()).build();
		Futures.addCallback(this.orders.checkout(this.request.toBuilder().setSimulation(wishes).build()),
				new FutureCallback<CheckoutReply>() {

					@Override
					public void onSuccess(@Nullable CheckoutReply reply) {
						Storm.this.answeredNanos.add(System.nanoTime() - start);
						Storm.this.permits.release();
					}

					@Override
					public void onFailure(Throwable thrown) {
						Storm.this.failures
							.computeIfAbsent(Status.fromThrowable(thrown).getCode(), (code) -> new LongAdder())
							.increment();
						Storm.this.permits.release();
					}

				}, Runnable::run);
	}

	private static long millis(long[] sorted, double share) {
		return (sorted.length > 0) ? TimeUnit.NANOSECONDS.toMillis(sorted[(int) (sorted.length * share)]) : 0;
	}

	/**
	 * What became of the checkouts.
	 *
	 * @param rate checkouts a second that were asked for
	 * @param seconds how long
	 * @param sent checkouts that were sent
	 * @param served checkouts that succeeded
	 * @param goodputPerSecond the same a second
	 * @param failures the others by status code
	 * @param p50Ms half of the served ones took no longer, in milliseconds
	 * @param p95Ms 95 % of the served ones took no longer, in milliseconds
	 */
	record Result(int rate, int seconds, int sent, int served, double goodputPerSecond, Map<Status.Code, Long> failures,
			long p50Ms, long p95Ms) {
	}

}
