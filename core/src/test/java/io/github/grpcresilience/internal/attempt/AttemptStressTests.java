package io.github.grpcresilience.internal.attempt;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.test.Relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Thousands of calls whose attempts fail, are silent, answer, are cancelled by their
 * callers or by Contexts, run out of time, or lose their connection, at random.
 */
class AttemptStressTests {

	private static final int CALLS = 8_000;

	private static final int CALLS_OF_RESTARTS = 2_000;

	private static final int AT_ONCE = 150;

	private static final int SEED = 20_261_126;

	private final Loopback loopback = new Loopback();

	private final Queue<Throwable> faults = new ConcurrentLinkedQueue<>();

	private final ExecutorService late = Executors.newFixedThreadPool(2);

	private final Queue<Context.CancellableContext> contexts = new ConcurrentLinkedQueue<>();

	private final AtomicInteger repeated = new AtomicInteger();

	private final Semaphore permits = new Semaphore(AT_ONCE);

	private final AtomicInteger answered = new AtomicInteger();

	/** Else a lost connection brings attempts that wait for another one. */
	private boolean waitsForReady = true;

	private final Thread.UncaughtExceptionHandler previous = Thread.getDefaultUncaughtExceptionHandler();

	@BeforeEach
	void watch() {
		Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> this.faults.add(thrown));
	}

	@AfterEach
	void end() {
		this.loopback.close();
		this.late.shutdownNow();
		Thread.setDefaultUncaughtExceptionHandler(this.previous);
	}

	private enum Kind {

		RETRY, HEDGE

	}

	private static Policies policies(Kind kind) {
		Policies.Layer layer = Policies.client().policy("shop", "test.v1.Shop").with(AttemptSettings.IDEMPOTENT, true);
		if (kind == Kind.RETRY) {
			layer.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 4)
				.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(2))
				.with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(31));
		}
		else {
			layer.with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 4)
				.with(AttemptSettings.HEDGE_DELAY, HedgeDelay.of(Duration.ofMillis(3)));
		}
		return layer.end().section(AttemptSettings.BUDGET_MIN_PER_SECOND, 700.0);
	}

	@ParameterizedTest
	@EnumSource
	void everyCallEndsOnceAndNothingIsLeftWhenTheServerComesAndGoes(Kind kind) throws Exception {
		GrpcResilience resilience = this.loopback
			.resilience(GrpcResilience.builder().policies(policies(kind).define()));
		this.waitsForReady = false;
		Random random = new Random(SEED);
		Server server = start(0);
		int port = server.getPort();
		ManagedChannel channel = this.loopback.channel(port, resilience, "shop");
		resilience.learn("shop", channel);
		for (int i = 0; i < CALLS_OF_RESTARTS; i++) {
			this.permits.acquire();
			start(channel, random);
			if (i % 1_000 == 300) {
				server.shutdownNow();
				assertThat(server.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
			}
			else if (i % 1_000 == 600) {
				server = start(port);
			}
		}
		assertThat(this.permits.tryAcquire(AT_ONCE, 40, TimeUnit.SECONDS)).as("every call ended").isTrue();
		server.shutdownNow();
		long further = assertNothingIsLeft(resilience, CALLS_OF_RESTARTS);
		assertThat(resilience.inspection().attemptBudgets().get("shop").taken()).as("those that waited took nothing")
			.isPositive()
			.isLessThan(further);
	}

	private Server start(int port) throws IOException {
		return NettyServerBuilder.forPort(port).addService(service()).build().start();
	}

	@ParameterizedTest
	@EnumSource
	void everyCallEndsOnceAndNothingIsLeft(Kind kind) throws Exception {
		GrpcResilience resilience = this.loopback
			.resilience(GrpcResilience.builder().policies(policies(kind).define()));
		Server server = this.loopback.servePlain(this::service, (builder) -> {
		});
		Random random = new Random(SEED);
		try (Relay relay = new Relay(server.getPort())) {
			ManagedChannel channel = this.loopback.channel(relay.port(), resilience, "shop");
			for (int i = 0; i < CALLS; i++) {
				this.permits.acquire();
				start(channel, random);
				if (i % 1_500 == 700) {
					relay.reset();
				}
			}
			assertThat(this.permits.tryAcquire(AT_ONCE, 40, TimeUnit.SECONDS)).as("every call ended").isTrue();
			long further = assertNothingIsLeft(resilience, CALLS);
			assertThat(resilience.inspection().attemptBudgets().get("shop").taken()).isEqualTo(further);
		}
	}

	/**
	 * Looks after the end of all calls.
	 * @return attempts beyond the first
	 */
	private long assertNothingIsLeft(GrpcResilience resilience, int calls) {
		await().untilAsserted(() -> assertThat(resilience.inspection().calledMethods())
			.allSatisfy((method) -> assertThat(method.counts().inFlight()).isZero()));
		await().untilAsserted(() -> assertThat(resilience.inspection().pendingTimeouts()).isZero());
		assertThat(this.faults).isEmpty();
		long further = resilience.inspection()
			.calledMethods()
			.stream()
			.mapToLong((method) -> method.attemptCounts().furtherAttempts())
			.sum();
		assertThat(further).as("attempts beyond the first").isGreaterThan(calls / 20);
		assertThat(this.repeated.get()).as("repeated attempts that the server has seen")
			.isPositive()
			.isLessThanOrEqualTo((int) further);
		assertThat(this.answered.get()).isGreaterThan(calls / 10);
		await().untilAsserted(() -> assertThat(this.contexts)
			.allSatisfy((context) -> assertThat(TestCall.listeners(context)).isZero()));
		this.contexts.forEach(Context.CancellableContext::close);
		assertThat(resilience.inspection().calledMethods()).extracting(CalledMethod::name)
			.containsExactly("test.v1.Shop/ServerStream", "test.v1.Shop/Unary");
		return further;
	}

	private void start(ManagedChannel channel, Random random) {
		MethodDescriptor<String, String> method = random.nextBoolean() ? Shop.UNARY : Shop.SERVER_STREAM;
		CallOptions options = Loopback.within((random.nextInt(4) == 0) ? 1 + random.nextInt(40) : 10_000);
		if (this.waitsForReady) {
			options = options.withWaitForReady();
		}
		if (random.nextInt(3) == 0) {
			options = options.withExecutor(Runnable::run);
		}
		Context.CancellableContext context = Context.ROOT.withCancellation();
		this.contexts.add(context);
		CallOptions own = options;
		boolean early = random.nextInt(20) == 0;
		int fate = random.nextInt(8);
		int micros = random.nextInt(20_000);
		context.run(() -> {
			ClientCall<String, String> call = channel.newCall(method, own);
			Watch watch = new Watch(method);
			call.start(watch, new Metadata());
			call.request(2);
			if (early) {
				call.cancel("early", null);
			}
			call.sendMessage("x");
			call.halfClose();
			if (fate == 0) {
				later(micros, () -> call.cancel("enough", null));
			}
			else if (fate == 1) {
				later(micros, () -> context.cancel(new IllegalStateException("left")));
			}
		});
	}

	private void later(int micros, Runnable action) {
		CompletableFuture.delayedExecutor(micros, TimeUnit.MICROSECONDS, this.late).execute(action);
	}

	private ServerServiceDefinition service() {
		return ServerServiceDefinition.builder("test.v1.Shop")
			.addMethod(Shop.UNARY, handler())
			.addMethod(Shop.SERVER_STREAM, handler())
			.addMethod(Shop.CLIENT_STREAM, handler())
			.addMethod(Shop.BIDI, handler())
			.build();
	}

	private ServerCallHandler<String, String> handler() {
		Random random = new Random(SEED);
		return (call, headers) -> {
			if (headers.containsKey(Metadata.Key.of("grpc-previous-rpc-attempts", Metadata.ASCII_STRING_MARSHALLER))) {
				this.repeated.incrementAndGet();
			}
			call.request(2);
			int fate;
			synchronized (random) {
				fate = random.nextInt(20);
			}
			return new ServerCall.Listener<>() {

				@Override
				public void onHalfClose() {
					answer(call, fate);
				}

			};
		};
	}

	private void answer(ServerCall<String, String> call, int fate) {
		if (fate < 5) {
			call.close(Status.UNAVAILABLE, new Metadata());
		}
		else if (fate < 7) {
			call.sendHeaders(new Metadata());
			call.close(Status.UNAVAILABLE, new Metadata());
		}
		else if (fate < 8) {
			// Silent until the caller gives up.
			return;
		}
		else if (fate < 12) {
			later(fate * 1_000, () -> echo(call));
		}
		else {
			echo(call);
		}
	}

	private static void echo(ServerCall<String, String> call) {
		if (!call.isCancelled()) {
			call.sendHeaders(new Metadata());
			call.sendMessage("x");
			call.close(Status.OK, new Metadata());
		}
	}

	/** Checks what every listener may rely on. */
	private final class Watch extends ClientCall.Listener<String> {

		private final MethodDescriptor<String, String> method;

		private final AtomicBoolean busy = new AtomicBoolean();

		private int headers;

		private int messages;

		private boolean closed;

		Watch(MethodDescriptor<String, String> method) {
			this.method = method;
		}

		private void enter(boolean fine, String what) {
			if (!this.busy.compareAndSet(false, true)) {
				AttemptStressTests.this.faults.add(new AssertionError("two callbacks at once: " + what));
			}
			if (!fine || this.closed) {
				AttemptStressTests.this.faults
					.add(new AssertionError(this.method.getBareMethodName() + " out of order: " + what + ", headers "
							+ this.headers + ", messages " + this.messages + ", " + this.closed));
			}
		}

		@Override
		public void onReady() {
			enter(true, "ready");
			this.busy.set(false);
		}

		@Override
		public void onHeaders(Metadata headers) {
			enter(this.headers == 0 && this.messages == 0, "headers");
			this.headers++;
			this.busy.set(false);
		}

		@Override
		public void onMessage(String message) {
			enter(this.headers == 1 && this.messages == 0, "message");
			this.messages++;
			this.busy.set(false);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			enter(!status.isOk() || this.messages == 1, "close " + status);
			this.closed = true;
			if (status.isOk()) {
				AttemptStressTests.this.answered.incrementAndGet();
			}
			else if (!List.of(Status.Code.UNAVAILABLE, Status.Code.CANCELLED, Status.Code.DEADLINE_EXCEEDED)
				.contains(status.getCode())) {
				AttemptStressTests.this.faults.add(status.asException());
			}
			this.busy.set(false);
			AttemptStressTests.this.permits.release();
		}

	}

}
