package io.github.grpcresilience.gate.resilience4j;

import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.GateSettings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Thousands of calls of all types that end in every way there is, over real connections:
 * what was taken is given back.
 */
class GateStressTests {

	private static final int CALLS = 6_000;

	private static final int PLACES = 40;

	private final Loopback loopback = new Loopback();

	private final Engines engines = new Engines();

	private final Bulkhead bulkhead = this.engines.bulkheads.bulkhead("wide",
			BulkheadConfig.custom().maxConcurrentCalls(PLACES).build());

	private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);

	/** As many as there are places: if one were lost, calls would be refused. */
	private final Semaphore running = new Semaphore(PLACES);

	private final AtomicInteger arrived = new AtomicInteger();

	/** What happens when the server has served some calls. */
	private volatile Runnable tired = () -> {
	};

	private final LongAdder succeeded = new LongAdder();

	private final LongAdder failed = new LongAdder();

	@AfterEach
	void close() {
		this.timer.shutdownNow();
		this.loopback.close();
	}

	private CircuitBreaker breaker(CircuitBreakerConfig config) {
		CircuitBreaker breaker = this.engines.breakers.circuitBreaker("wide", config);
		breaker.getEventPublisher().onSuccess((event) -> this.succeeded.increment());
		breaker.getEventPublisher().onError((event) -> this.failed.increment());
		return breaker;
	}

	private ManagedChannel channel() {
		return channel((server) -> {
		});
	}

	private ManagedChannel channel(Consumer<Server> started) {
		Random random = new Random(7);
		Shop shop = new Shop().unary((request, observer) -> answer(random, observer))
			.serverStream((request, observer) -> answer(random, observer))
			.bidi((observer) -> {
				answer(random, observer);
				return Shop.echoAll(new Deaf());
			});
		Server server = this.loopback.servePlain(shop, (builder) -> {
		});
		started.accept(server);
		return this.loopback.channel(server,
				this.loopback.resilience(this.engines.client(Policies.client()
					.policy("shop", "test.v1.Shop")
					.with(GateSettings.BREAKER_INSTANCE, "wide")
					.with(GateSettings.BULKHEAD, "wide")
					.end()
					.define())),
				"shop");
	}

	private void answer(Random random, StreamObserver<String> observer) {
		if (this.arrived.incrementAndGet() == CALLS / 10) {
			this.tired.run();
		}
		int what = random.nextInt(10);
		long delay = random.nextInt(8);
		later(delay, () -> {
			if (what < 4) {
				Shop.echo("a", observer);
			}
			else if (what < 6) {
				Engines.fail(observer, Status.Code.UNAVAILABLE);
			}
			else if (what < 7) {
				Engines.fail(observer, Status.Code.NOT_FOUND);
			}
			// Else its deadline or its caller ends it.
		});
	}

	private void later(long millis, Runnable task) {
		CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS, this.timer).execute(task);
	}

	/**
	 * Makes one call and ends it in some way.
	 */
	private void call(Channel channel, Random random, CountDownLatch ended) {
		List<MethodDescriptor<String, String>> types = Calls.types();
		CallOptions options = Loopback.within((random.nextInt(4) == 0) ? 1 + random.nextInt(9) : 200);
		ClientCall<String, String> call = channel.newCall(types.get(random.nextInt(types.size())), options);
		int what = random.nextInt(10);
		if (what == 0) {
			call.cancel("never started", null);
			ended(ended);
			return;
		}
		if (what == 1) {
			call.cancel("before start", null);
		}
		try {
			call.start(new Counting(ended), new Metadata());
		}
		catch (IllegalStateException ex) {
			ended(ended); // cancelled before
			return;
		}
		call.request(10);
		call.sendMessage("x");
		call.halfClose();
		if (what < 5) {
			later(random.nextInt(6), () -> call.cancel("caller left", null));
		}
	}

	private void ended(CountDownLatch ended) {
		this.running.release();
		ended.countDown();
	}

	private void callMany(Channel channel, int calls) throws InterruptedException {
		Random random = new Random(11);
		CountDownLatch ended = new CountDownLatch(calls);
		for (int i = 0; i < calls; i++) {
			assertThat(this.running.tryAcquire(20, TimeUnit.SECONDS)).as("calls go on ending").isTrue();
			call(channel, random, ended);
		}
		assertThat(ended.await(60, TimeUnit.SECONDS)).as("all calls ended").isTrue();
	}

	@Test
	void everyPlaceIsGivenBackAndEveryOutcomeCountedOnce() throws Exception {
		CircuitBreaker breaker = breaker(
				CircuitBreakerConfig.custom().slidingWindowSize(2 * CALLS).minimumNumberOfCalls(2 * CALLS).build());
		callMany(channel(), CALLS);
		await().untilAsserted(
				() -> assertThat(this.bulkhead.getMetrics().getAvailableConcurrentCalls()).isEqualTo(PLACES));
		assertThat(this.succeeded.sum()).isPositive();
		assertThat(this.failed.sum()).isPositive();
		assertThat(breaker.getMetrics().getNumberOfBufferedCalls())
			.isEqualTo(this.succeeded.intValue() + this.failed.intValue());
		assertThat(breaker.getMetrics().getNumberOfBufferedCalls()).isLessThan(CALLS);
		assertThat(this.arrived.get()).as("calls that reached the server").isGreaterThan(CALLS / 2);
	}

	@Test
	void everyPlaceIsGivenBackWhenServersDie() throws Exception {
		CircuitBreaker breaker = breaker(
				CircuitBreakerConfig.custom().slidingWindowSize(2 * CALLS).minimumNumberOfCalls(2 * CALLS).build());
		AtomicReference<Server> dead = new AtomicReference<>();
		callMany(channel((server) -> this.tired = () -> dead.set(server.shutdownNow())), CALLS);
		assertThat(dead.get()).as("server that died").isNotNull();
		await().untilAsserted(
				() -> assertThat(this.bulkhead.getMetrics().getAvailableConcurrentCalls()).isEqualTo(PLACES));
		assertThat(this.failed.sum()).isPositive();
		assertThat(breaker.getMetrics().getNumberOfBufferedCalls())
			.isEqualTo(this.succeeded.intValue() + this.failed.intValue());
	}

	@Test
	void noProbeIsLost() throws Exception {
		// So many probes that the breaker stays half-open all the time.
		CircuitBreaker breaker = breaker(CircuitBreakerConfig.custom()
			.slidingWindowSize(2 * CALLS)
			.minimumNumberOfCalls(2 * CALLS)
			.permittedNumberOfCallsInHalfOpenState(2 * CALLS)
			.build());
		breaker.transitionToOpenState();
		breaker.transitionToHalfOpenState();
		callMany(channel(), CALLS);
		await().untilAsserted(
				() -> assertThat(this.bulkhead.getMetrics().getAvailableConcurrentCalls()).isEqualTo(PLACES));
		assertThat(this.arrived.get()).as("calls that reached the server").isGreaterThan(CALLS / 2);
		int left = 0;
		while (breaker.tryAcquirePermission()) {
			left++;
		}
		assertThat(breaker.getState()).isEqualTo(State.HALF_OPEN);
		assertThat(left).isEqualTo(2 * CALLS - breaker.getMetrics().getNumberOfBufferedCalls());
	}

	private final class Counting extends ClientCall.Listener<String> {

		private final CountDownLatch ended;

		Counting(CountDownLatch ended) {
			this.ended = ended;
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			ended(this.ended);
		}

	}

	private static final class Deaf implements StreamObserver<String> {

		@Override
		public void onNext(String value) {
			// The answer comes from elsewhere.
		}

		@Override
		public void onError(Throwable thrown) {
			// The answer comes from elsewhere.
		}

		@Override
		public void onCompleted() {
			// The answer comes from elsewhere.
		}

	}

}
