package io.github.grpcresilience.internal.admission;

import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.admission.netflix.NetflixLimits;
import io.github.grpcresilience.event.ResilienceEvent.CallEnded;
import io.github.grpcresilience.internal.admission.AdmissionUsage.Use;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.policy.AdmissionSettings;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Thousands of calls of all types end in every way there is: answered, late, at their
 * deadline, by an exception, cancelled by their callers, with their connection. Each of
 * them held its permits until it was over, and gives them back once.
 */
class AdmissionStressTests {

	private static final int CALLS = 6_000;

	private static final int AT_ONCE = 60;

	private static final int TOTAL = 30;

	private static final int PER_METHOD = 9;

	/** A connection is broken after so many calls. */
	private static final int BREAK_EVERY = 250;

	private static final int SEED = 20_260_107;

	private final Loopback loopback = new Loopback();

	private final ExecutorService late = Executors.newFixedThreadPool(4);

	private final Map<Reason, AtomicInteger> decisions = new EnumMap<>(Reason.class);

	private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

	private final Handlers handlers = new Handlers();

	AdmissionStressTests() {
		for (Reason reason : Reason.values()) {
			this.decisions.put(reason, new AtomicInteger());
		}
	}

	@AfterEach
	void end() {
		this.loopback.close();
		this.late.shutdownNow();
	}

	@ParameterizedTest
	@EnumSource
	void everyPermitComesBackOnce(Mode mode) throws InterruptedException {
		GrpcResilience resilience = this.loopback
			.resilience(GrpcResilience.builder().mode(mode).adaptiveLimits(new NetflixLimits()).events((event) -> {
				if (event instanceof CallEnded ended) {
					this.decisions.get(ended.reason()).incrementAndGet();
				}
			})
				.policies(Policies.server()
					.section(AdmissionSettings.MAX_CONCURRENT, TOTAL)
					.section(AdmissionSettings.ADAPTIVE, true)
					.section(AdmissionSettings.MAX_PER_SECOND, 100_000.0)
					.policy("stress", "test.v1.Shop")
					.with(DeadlineSettings.MAX, Duration.ofMillis(150))
					.with(AdmissionSettings.MAX_CONCURRENT, PER_METHOD)
					.end()
					.policy("unary", "test.v1.Shop/Unary")
					.with(AdmissionSettings.ADAPTIVE, true)
					.end()
					.define()));
		Server server = this.loopback.serve(resilience, this.handlers.shop());
		List<ServedMethod> methods = resilience.inspection().servedMethods();
		Semaphore permits = new Semaphore(AT_ONCE);
		Map<Status.Code, AtomicInteger> codes = new EnumMap<>(Status.Code.class);
		for (Status.Code code : Status.Code.values()) {
			codes.put(code, new AtomicInteger());
		}
		Random random = new Random(SEED);
		ManagedChannel stays = this.loopback.plainChannel(server);
		ManagedChannel breaks = this.loopback.plainChannel(server);
		for (int i = 0; i < CALLS; i++) {
			permits.acquire();
			start(random.nextBoolean() ? stays : breaks, i, random, permits, codes);
			methods.forEach(
					(method) -> check(resilience.inspection().admission().usage(method), PER_METHOD, method.name()));
			check(resilience.inspection().admission().totalUsage(), TOTAL, "total");
			if (i % BREAK_EVERY == BREAK_EVERY - 1) {
				breaks.shutdownNow();
				breaks = this.loopback.plainChannel(server);
			}
		}
		assertThat(permits.tryAcquire(AT_ONCE, 40, TimeUnit.SECONDS)).as("every call ended").isTrue();

		await().untilAsserted(() -> {
			AdmissionUsage total = resilience.inspection().admission().totalUsage();
			assertThat(total.calls()).isEqualTo(new Use(0, TOTAL));
			assertThat(total.unary().inUse()).isZero();
			assertThat(methods).hasSize(4)
				.allSatisfy((method) -> assertThat(resilience.inspection().admission().usage(method).calls())
					.isEqualTo(new Use(0, PER_METHOD)));
			assertThat(methods).filteredOn((method) -> method.name().equals(Shop.UNARY.getFullMethodName()))
				.allSatisfy((method) -> assertThat(resilience.inspection().admission().usage(method).unary().inUse())
					.isZero());
		});
		assertThat(methods).allSatisfy((method) -> assertThat(method.counts().inFlight()).isZero());
		assertThat(this.wrong).isEmpty();
		assertThat(this.decisions.get(Reason.CONCURRENCY_LIMIT)).as("refused").hasValueGreaterThan(CALLS / 100);
		assertThat(codes.get(Status.Code.OK)).hasValueGreaterThan(CALLS / 100);
		assertThat(codes.get(Status.Code.CANCELLED)).hasValueGreaterThan(CALLS / 100);
		assertThat(codes.get(Status.Code.DEADLINE_EXCEEDED)).hasValueGreaterThan(CALLS / 100);
		assertThat(codes.get(Status.Code.UNAVAILABLE)).as("broken connections").hasPositiveValue();
		if (mode == Mode.ENFORCE) {
			assertThat(codes.get(Status.Code.RESOURCE_EXHAUSTED)).hasPositiveValue();
			assertThat(this.handlers.most).as("handlers at work at once").hasValueLessThanOrEqualTo(PER_METHOD);
			assertThat(this.handlers.outlived).as("handlers that outlived their calls").hasPositiveValue();
		}
		else {
			assertThat(codes.get(Status.Code.RESOURCE_EXHAUSTED)).hasValue(0);
		}
	}

	private void check(AdmissionUsage usage, int limit, String whose) {
		if (usage.calls().inUse() < 0 || usage.calls().inUse() > limit) {
			this.wrong.add(usage + " of " + whose);
		}
	}

	private void start(ManagedChannel channel, int number, Random random, Semaphore permits,
			Map<Status.Code, AtomicInteger> codes) {
		MethodDescriptor<String, String> method = Calls.types().get(random.nextInt(4));
		Behaviour[] all = Behaviour.values();
		Behaviour behaviour = all[random.nextInt(all.length)];
		CallOptions options = Loopback.within(1 + random.nextInt(200));
		boolean leaves = random.nextInt(5) == 0;
		boolean leavesOpen = random.nextInt(9) == 0;
		int leavesAfter = random.nextInt(60);
		ClientCall<String, String> call = channel.newCall(method, options);
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onClose(Status status, Metadata trailers) {
				codes.get(status.getCode()).incrementAndGet();
				permits.release();
			}

		}, new Metadata());
		call.request(Integer.MAX_VALUE);
		call.sendMessage(number + ":" + behaviour);
		if (!leavesOpen) {
			call.halfClose();
		}
		if (leaves) {
			later(leavesAfter, () -> call.cancel("left", null));
		}
	}

	private void later(int millis, Runnable task) {
		CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS, this.late).execute(task);
	}

	/**
	 * What a handler does with a call.
	 */
	private enum Behaviour {

		AT_ONCE, LATE, WORK, NEVER, THROW, FAIL

	}

	/**
	 * Handlers that do as the request says.
	 */
	private final class Handlers {

		private final AtomicInteger working = new AtomicInteger();

		private final AtomicInteger most = new AtomicInteger();

		private final AtomicInteger outlived = new AtomicInteger();

		private final AtomicInteger delays = new AtomicInteger();

		Shop shop() {
			return new Shop().unary((request, observer) -> {
				this.most.accumulateAndGet(this.working.incrementAndGet(), Math::max);
				try {
					answer(request, observer);
				}
				finally {
					this.working.decrementAndGet();
				}
			}).serverStream(this::answer).clientStream(this::requests).bidi(this::requests);
		}

		private StreamObserver<String> requests(StreamObserver<String> observer) {
			quiet(observer);
			return new StreamObserver<>() {

				@Override
				public void onNext(String value) {
					answer(value, observer);
				}

				@Override
				public void onError(Throwable thrown) {
					// The caller left.
				}

				@Override
				public void onCompleted() {
					// It is answered by the message.
				}

			};
		}

		/**
		 * With a handler set, grpc-java's observer passes late writes on to the call.
		 */
		private static void quiet(StreamObserver<String> observer) {
			((ServerCallStreamObserver<String>) observer).setOnCancelHandler(() -> {
			});
		}

		private void answer(String request, StreamObserver<String> observer) {
			int delay = this.delays.incrementAndGet();
			switch (Behaviour.valueOf(request.substring(request.indexOf(':') + 1))) {
				case AT_ONCE -> Shop.echo(request, observer);
				case LATE -> later(delay % 100, () -> writeLate(request, observer));
				case WORK -> {
					work(delay % 60);
					if (((ServerCallStreamObserver<String>) observer).isCancelled()) {
						this.outlived.incrementAndGet();
					}
					writeLate(request, observer);
				}
				case THROW -> throw new Thrown();
				case FAIL -> observer.onError(Status.ABORTED.asRuntimeException());
				case NEVER -> {
				}
			}
		}

		private static void work(int millis) {
			long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
			for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
				LockSupport.parkNanos(left);
			}
		}

		private static void writeLate(String request, StreamObserver<String> observer) {
			try {
				Shop.echo(request, observer);
			}
			catch (RuntimeException ex) {
				// Nobody listens any more, and grpc-java's observer says so.
			}
		}

	}

	private static final class Thrown extends RuntimeException {

		private static final long serialVersionUID = 1L;

		Thrown() {
			super("thrown on purpose", null, false, false);
		}

	}

}
