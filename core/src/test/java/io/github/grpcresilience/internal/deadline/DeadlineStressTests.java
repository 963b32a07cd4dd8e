package io.github.grpcresilience.internal.deadline;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.DeadlineSettings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Handlers, deadlines and leaving callers race for thousands of calls on two connections.
 * What one call does wrong would corrupt the connection that the others share, so held
 * streams and plain calls beside them must stay whole.
 */
class DeadlineStressTests {

	private static final int CALLS = 10_000;

	/** Open all the time, so that this many calls are always in flight. */
	private static final int HELD = 2_000;

	/** With more of them nearly all expire in the server's queue, and little races. */
	private static final int FEW = 150;

	private static final String SIBLING = "sibling:AT_ONCE";

	private static final int SEED = 20_260_107;

	private final Loopback loopback = new Loopback();

	private final LogWatch log = new LogWatch();

	private final Transports transports = new Transports();

	private final Queue<Throwable> uncaught = new ConcurrentLinkedQueue<>();

	private final ExecutorService late = Executors.newFixedThreadPool(4);

	private final Thread.UncaughtExceptionHandler previous = Thread.getDefaultUncaughtExceptionHandler();

	@BeforeEach
	void watch() {
		Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> this.uncaught.add(thrown));
		this.log.open();
	}

	@AfterEach
	void end() {
		this.loopback.close();
		this.late.shutdownNow();
		this.log.close();
		Thread.setDefaultUncaughtExceptionHandler(this.previous);
	}

	@ParameterizedTest
	@ValueSource(ints = { FEW, CALLS })
	void everyCallEndsOnceAndNoConnectionBreaks(int atOnce) throws Exception {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.policies(Policies.server()
				.policy("stress", "test.v1.Shop")
				.with(DeadlineSettings.MAX, Duration.ofSeconds(57))
				.end()
				.define())
			.policies(Policies.client()
				.policy("stress", "test.v1.Shop")
				.with(DeadlineSettings.MAX, Duration.ofSeconds(57))
				.end()
				.define()));
		Handlers handlers = new Handlers(this.late, this.uncaught);
		Server server = this.loopback.serve(resilience, handlers.shop(),
				(builder) -> builder.addTransportFilter(this.transports));
		List<ManagedChannel> connections = List.of(this.loopback.plainChannel(server),
				this.loopback.plainChannel(server));
		List<Channel> channels = connections.stream()
			.map((channel) -> ClientInterceptors.intercept(channel, resilience.client("stress")))
			.toList();
		connections.forEach(
				(channel) -> assertThat(Loopback.call(channel, Loopback.within(20_000), SIBLING)).isEqualTo(SIBLING));

		List<Held> held = new ArrayList<>();
		for (int i = 0; i < HELD; i++) {
			held.add(new Held(channels.get(i % 2), i));
		}
		held.forEach(Held::awaitFirst);
		AtomicBoolean done = new AtomicBoolean();
		ExecutorService siblings = Executors.newFixedThreadPool(2);
		List<CompletableFuture<Integer>> plain = connections.stream()
			.map((channel) -> CompletableFuture.supplyAsync(() -> callUntil(done, channel), siblings))
			.toList();

		Outcomes outcomes = new Outcomes(atOnce);
		Random random = new Random(SEED);
		for (int i = 0; i < CALLS; i++) {
			outcomes.permits.acquire();
			start(channels.get(i % 2), i, random, outcomes);
		}
		assertThat(outcomes.permits.tryAcquire(atOnce, 40, TimeUnit.SECONDS)).as("every call ended").isTrue();
		done.set(true);
		for (CompletableFuture<Integer> calls : plain) {
			assertThat(calls.get(20, TimeUnit.SECONDS)).isPositive();
		}
		siblings.shutdown();
		held.forEach(Held::finish);
		held.forEach(Held::awaitEnd);

		// Long before the held streams' deadlines, so only their ends can have done it.
		await().untilAsserted(() -> assertThat(resilience.inspection().pendingTimeouts()).isZero());
		await().untilAsserted(() -> {
			assertThat(resilience.inspection().servedMethods()).hasSize(4)
				.allMatch((method) -> method.counts().inFlight() == 0);
			assertThat(resilience.inspection().calledMethods()).hasSize(4)
				.allMatch((method) -> method.counts().inFlight() == 0);
		});
		outcomes.check();
		assertThat(this.transports.ready).hasValue(2);
		assertThat(this.transports.terminated).as("broken connections").hasValue(0);
		assertThat(connections).allMatch((channel) -> channel.getState(false) == ConnectivityState.READY);
		if (atOnce == FEW) {
			assertThat(handlers.raced).as("writes that raced with a deadline").hasPositiveValue();
		}
		assertThat(this.uncaught).isEmpty();
		assertThat(this.log.suspicious).isEmpty();
	}

	private static int callUntil(AtomicBoolean done, Channel channel) {
		int calls = 0;
		while (!done.get()) {
			assertThat(Loopback.call(channel, Loopback.within(20_000), SIBLING)).isEqualTo(SIBLING);
			calls++;
		}
		return calls;
	}

	private void start(Channel channel, int number, Random random, Outcomes outcomes) {
		MethodDescriptor<String, String> method = Calls.types().get(random.nextInt(4));
		Behaviour[] all = Behaviour.values();
		Behaviour behaviour = all[random.nextInt(all.length)];
		int deadline = 1 + random.nextInt(outcomes.longest);
		boolean leaves = random.nextInt(5) == 0;
		int leavesAfter = random.nextInt(outcomes.longest);
		String request = number + ":" + behaviour;
		ClientCall<String, String> call = channel.newCall(method, Loopback.within(deadline));
		outcomes.started();
		call.start(new ClientCall.Listener<>() {

			private int messages;

			@Override
			public void onMessage(String message) {
				this.messages++;
				if (!message.equals(request)) {
					outcomes.wrong.add(request + " was answered with " + message);
				}
			}

			@Override
			public void onClose(Status status, Metadata trailers) {
				if (status.isOk() && method.getType().serverSendsOneMessage() && this.messages != 1) {
					outcomes.wrong.add(request + " had " + this.messages + " answers");
				}
				outcomes.ended(number, status);
			}

		}, new Metadata());
		call.request(Integer.MAX_VALUE);
		call.sendMessage(request);
		call.halfClose();
		if (leaves) {
			CompletableFuture.delayedExecutor(leavesAfter, TimeUnit.MILLISECONDS, this.late)
				.execute(() -> call.cancel("left", null));
		}
	}

	/**
	 * What a handler does with a call.
	 */
	private enum Behaviour {

		AT_ONCE, LATE, AT_THE_DEADLINE, AFTER_CANCELLATION, NEVER, THROW, HOLD

	}

	/**
	 * Handlers that do as the request says.
	 */
	private static final class Handlers {

		private final ExecutorService late;

		private final Queue<Throwable> failures;

		private final AtomicInteger raced = new AtomicInteger();

		private final AtomicInteger delays = new AtomicInteger();

		Handlers(ExecutorService late, Queue<Throwable> failures) {
			this.late = late;
			this.failures = failures;
		}

		Shop shop() {
			return new Shop().unary((request, observer) -> handle(request, observer, 1))
				.serverStream((request, observer) -> handle(request, observer, 20))
				.clientStream((observer) -> requests(observer, 1))
				.bidi((observer) -> requests(observer, 20));
		}

		private StreamObserver<String> requests(StreamObserver<String> observer, int messages) {
			quiet(observer);
			return new StreamObserver<>() {

				private String first = "";

				@Override
				public void onNext(String value) {
					if (value.endsWith("HOLD")) {
						observer.onNext(value);
					}
					this.first = value;
				}

				@Override
				public void onError(Throwable thrown) {
					// The caller left.
				}

				@Override
				public void onCompleted() {
					if (this.first.endsWith("HOLD")) {
						observer.onCompleted();
					}
					else {
						answer(this.first, observer, messages);
					}
				}

			};
		}

		private void handle(String request, StreamObserver<String> observer, int messages) {
			quiet(observer);
			answer(request, observer, messages);
		}

		/**
		 * With a handler set, grpc-java's observer passes late writes on to the call.
		 */
		private static void quiet(StreamObserver<String> observer) {
			((ServerCallStreamObserver<String>) observer).setOnCancelHandler(() -> {
			});
		}

		private void answer(String request, StreamObserver<String> observer, int messages) {
			switch (Behaviour.valueOf(request.substring(request.indexOf(':') + 1))) {
				case AT_ONCE -> write(request, observer, messages);
				case LATE -> later(this.delays.incrementAndGet() % 300, () -> write(request, observer, messages));
				case AT_THE_DEADLINE -> race(request, observer, messages);
				case AFTER_CANCELLATION ->
					Context.current().addListener((context) -> write(request, observer, messages), this.late);
				case THROW -> throw new Thrown();
				case NEVER, HOLD -> {
				}
			}
		}

		/**
		 * From another thread, while the timer answers.
		 */
		private void race(String request, StreamObserver<String> observer, int messages) {
			long remaining = Budget.remaining().orElseThrow().toMillis();
			long margin = Math.min(Math.max(5, remaining / 50), Math.max(1, remaining / 10));
			later(remaining - margin + this.delays.incrementAndGet() % 5 - 2, () -> {
				this.raced.incrementAndGet();
				write(request, observer, messages);
			});
		}

		private void later(long millis, Runnable task) {
			CompletableFuture.delayedExecutor(Math.max(0, millis), TimeUnit.MILLISECONDS, this.late).execute(task);
		}

		private void write(String request, StreamObserver<String> observer, int messages) {
			try {
				for (int i = 0; i < messages; i++) {
					observer.onNext(request);
				}
				observer.onCompleted();
			}
			catch (Throwable ex) {
				this.failures.add(new IllegalStateException("late write of " + request, ex));
			}
		}

	}

	private static final class Thrown extends RuntimeException {

		private static final long serialVersionUID = 1L;

		Thrown() {
			super("thrown on purpose", null, false, false);
		}

	}

	/**
	 * A stream that is open from the first to the last of the other calls.
	 */
	private static final class Held {

		private final CompletableFuture<String> first = new CompletableFuture<>();

		private final CompletableFuture<Status> ended = new CompletableFuture<>();

		private final ClientCall<String, String> call;

		private final String request;

		/** Whether the caller leaves in the end, instead of completing. */
		private final boolean leaves;

		Held(Channel channel, int number) {
			this.leaves = number % 3 == 0;
			this.request = number + ":HOLD";
			this.call = channel.newCall(Shop.BIDI, CallOptions.DEFAULT.withDeadlineAfter(50, TimeUnit.SECONDS));
			this.call.start(new ClientCall.Listener<>() {

				@Override
				public void onMessage(String message) {
					Held.this.first.complete(message);
				}

				@Override
				public void onClose(Status status, Metadata trailers) {
					Held.this.first.cancel(false);
					Held.this.ended.complete(status);
				}

			}, new Metadata());
			this.call.request(Integer.MAX_VALUE);
			this.call.sendMessage(this.request);
		}

		void awaitFirst() {
			assertThat(this.first.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo(this.request);
		}

		void finish() {
			assertThat(this.ended).isNotDone();
			if (this.leaves) {
				this.call.cancel("left", null);
			}
			else {
				this.call.halfClose();
			}
		}

		void awaitEnd() {
			assertThat(this.ended.orTimeout(20, TimeUnit.SECONDS).join().getCode())
				.isEqualTo(this.leaves ? Status.Code.CANCELLED : Status.Code.OK);
		}

	}

	private static final class Outcomes {

		private final Semaphore permits;

		private final int atOnce;

		/** Longest deadline in milliseconds. */
		private final int longest;

		private final AtomicIntegerArray closed = new AtomicIntegerArray(CALLS);

		private final Map<Status.Code, AtomicInteger> byCode = new EnumMap<>(Status.Code.class);

		private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

		private final AtomicInteger inFlight = new AtomicInteger();

		private final AtomicInteger most = new AtomicInteger();

		Outcomes(int atOnce) {
			this.atOnce = atOnce;
			this.permits = new Semaphore(atOnce);
			this.longest = (atOnce == FEW) ? 400 : 6000;
			for (Status.Code code : Status.Code.values()) {
				this.byCode.put(code, new AtomicInteger());
			}
		}

		void started() {
			this.most.accumulateAndGet(this.inFlight.incrementAndGet(), Math::max);
		}

		void ended(int number, Status status) {
			this.byCode.get(status.getCode()).incrementAndGet();
			if (this.closed.incrementAndGet(number) == 1) {
				this.inFlight.decrementAndGet();
				this.permits.release();
			}
		}

		void check() {
			assertThat(this.most).as("calls in flight").hasValueGreaterThanOrEqualTo(this.atOnce / 2);
			for (int i = 0; i < CALLS; i++) {
				assertThat(this.closed.get(i)).as("ends of call %d", i).isOne();
			}
			this.byCode.values().removeIf((count) -> count.get() == 0);
			assertThat(this.byCode).containsOnlyKeys(Status.Code.OK, Status.Code.DEADLINE_EXCEEDED,
					Status.Code.CANCELLED, Status.Code.INTERNAL);
			assertThat(this.wrong).isEmpty();
		}

	}

	private static final class Transports extends ServerTransportFilter {

		private final AtomicInteger ready = new AtomicInteger();

		private final AtomicInteger terminated = new AtomicInteger();

		@Override
		public Attributes transportReady(Attributes attributes) {
			this.ready.incrementAndGet();
			return attributes;
		}

		@Override
		public void transportTerminated(Attributes attributes) {
			this.terminated.incrementAndGet();
		}

	}

	/**
	 * Keeps what grpc-java logs about exceptions that are not the handlers' own.
	 */
	private static final class LogWatch extends Handler {

		/** Loggers without a strong reference lose their handlers. */
		private final Logger logger = Logger.getLogger("io.grpc");

		private final Queue<String> suspicious = new ConcurrentLinkedQueue<>();

		void open() {
			this.logger.setUseParentHandlers(false);
			this.logger.addHandler(this);
		}

		@Override
		public void publish(LogRecord entry) {
			Throwable thrown = entry.getThrown();
			if (thrown instanceof Thrown) {
				return;
			}
			StringWriter text = new StringWriter();
			text.append(entry.getLevel().getName()).append(' ').append(entry.getMessage());
			if (thrown != null) {
				thrown.printStackTrace(new PrintWriter(text));
			}
			if (entry.getLevel().intValue() >= Level.WARNING.intValue()
					|| text.toString().contains("io.github.grpcresilience")
					|| text.toString().contains("call is closed") || text.toString().contains("call already closed")) {
				this.suspicious.add(text.toString());
			}
		}

		@Override
		public void flush() {
			// Nothing is buffered.
		}

		@Override
		public void close() {
			this.logger.removeHandler(this);
			this.logger.setUseParentHandlers(true);
		}

	}

}
