package io.github.grpcresilience.internal.admission;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

import com.google.rpc.RetryInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.admission.AdaptiveLimit;
import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.admission.netflix.NetflixLimits;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.CallEnded;
import io.github.grpcresilience.internal.admission.AdmissionUsage.Use;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.policy.AdmissionSettings;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.policy.PolicyFault;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Calls over real connections, of which some are too many.
 */
class AdmissionTests {

	private static final Metadata.Key<String> PUSHBACK = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private final Loopback loopback = new Loopback();

	/** Handlers that were reached and have not answered. */
	private final Queue<StreamObserver<String>> held = new ConcurrentLinkedQueue<>();

	private final AtomicInteger reached = new AtomicInteger();

	private final Queue<CallEnded> decisions = new ConcurrentLinkedQueue<>();

	@AfterEach
	void end() {
		this.loopback.close();
	}

	static Stream<MethodDescriptor<String, String>> types() {
		return Calls.types().stream();
	}

	@ParameterizedTest
	@MethodSource("types")
	void tooManyCallsOfAMethodAreRefused(MethodDescriptor<String, String> type) {
		GrpcResilience resilience = resilience(Policies.server()
			.policy("all", "test.v1.Shop")
			.with(DeadlineSettings.MAX, Duration.ofSeconds(57))
			.with(AdmissionSettings.MAX_CONCURRENT, 2)
			.end());
		Channel channel = channel(resilience);
		List<CompletableFuture<Ended>> first = List.of(begin(channel, type), begin(channel, type));

		GrpcErrors refused = refused(Calls.run(channel, type, Loopback.within(20_000)));
		assertThat(refused.reason()).contains("CONCURRENCY_LIMIT");
		assertThat(refused.domain()).contains("grpc-resilience");
		assertThat(refused.metadata()).containsExactlyInAnyOrderEntriesOf(Map.of("method", type.getFullMethodName(),
				"service", "shop", "side", "server", "limit", "2", "scope", "method"));
		assertThat(refused.retryDelay())
			.hasValueSatisfying((delay) -> assertThat(delay).isBetween(Duration.ofMillis(100), Duration.ofMillis(200)));
		assertThat(this.reached).as("handlers").hasValue(2);
		assertThat(usage(resilience, type)).isEqualTo(new AdmissionUsage(new Use(2, 2), null));
		assertThat(method(resilience, type).counts().byReason())
			.containsExactly(Map.entry(Reason.CONCURRENCY_LIMIT, 1L));
		assertThat(this.decisions).singleElement().matches(CallEnded::enforced);

		answerAll();
		first.forEach((call) -> assertThat(call.join().code()).isEqualTo(Status.Code.OK));
		await().untilAsserted(
				() -> assertThat(usage(resilience, type)).isEqualTo(new AdmissionUsage(new Use(0, 2), null)));
		CompletableFuture<Ended> next = begin(channel, type);
		answerAll();
		assertThat(next.join().code()).isEqualTo(Status.Code.OK);
	}

	@Test
	void eachMethodOfAServiceHasItsOwnLimit() {
		GrpcResilience resilience = resilience(
				Policies.server().policy("all", "test.v1.Shop").with(AdmissionSettings.MAX_CONCURRENT, 1).end());
		Channel channel = channel(resilience);
		for (MethodDescriptor<String, String> type : Calls.types()) {
			hold(channel, type);
		}
		assertThat(this.reached).hasValue(4);
	}

	@Test
	void allMethodsTogetherHaveOneTotalAndHealthIsNoPartOfIt() {
		GrpcResilience resilience = resilience(Policies.server()
			.section(AdmissionSettings.MAX_CONCURRENT, 3)
			.policy("health", "grpc.health.v1.Health")
			.with(AdmissionSettings.MAX_CONCURRENT, 1)
			.with(AdmissionSettings.MAX_PER_SECOND, 0.001)
			.end());
		Channel channel = channel(resilience);
		hold(channel, Shop.BIDI);
		hold(channel, Shop.UNARY);
		hold(channel, Shop.SERVER_STREAM);
		GrpcErrors refused = refused(Calls.run(channel, Shop.CLIENT_STREAM, Loopback.within(20_000)));
		assertThat(refused.metadata()).containsEntry("scope", "server").containsEntry("limit", "3");
		assertThat(resilience.inspection().admission().totalUsage()).isEqualTo(new AdmissionUsage(new Use(3, 3), null));
		for (int i = 0; i < 20; i++) {
			assertThat(HealthGrpc.newBlockingStub(channel)
				.withDeadlineAfter(20, TimeUnit.SECONDS)
				.check(HealthCheckRequest.getDefaultInstance())
				.getStatus()).isEqualTo(ServingStatus.SERVING);
		}
		assertThat(resilience.inspection().admission().totalUsage()).isEqualTo(new AdmissionUsage(new Use(3, 3), null));
		assertThat(resilience.inspection().servedMethods())
			.filteredOn((method) -> method.name().startsWith("grpc.health"))
			.isNotEmpty()
			.allSatisfy((method) -> assertThat(resilience.inspection().admission().usage(method)).isNull());
	}

	@Test
	void healthIsNeverLimitedWhateverIsExempt() {
		GrpcResilience resilience = resilience(Policies.server()
			.section(AdmissionSettings.MAX_CONCURRENT, 1)
			.policy("health", "grpc.health.v1.Health/Check")
			.with(AdmissionSettings.MAX_PER_SECOND, 0.001)
			.end()
			.exempt("shop.v1.Admin"));
		Channel channel = channel(resilience);
		hold(channel, Shop.UNARY);
		refused(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)));
		for (int i = 0; i < 3; i++) {
			assertThat(HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance()).getStatus())
				.isEqualTo(ServingStatus.SERVING);
		}
		assertThat(resilience.inspection().admission().totalUsage()).isEqualTo(new AdmissionUsage(new Use(1, 1), null));
	}

	@Test
	void tooManyCallsWithinASecondAreRefused() {
		GrpcResilience resilience = resilience(Policies.server()
			.policy("slow", "test.v1.Shop/Bidi")
			.with(AdmissionSettings.MAX_PER_SECOND, 0.01)
			.end());
		Channel channel = channel(resilience);
		hold(channel, Shop.BIDI);
		GrpcErrors refused = refused(Calls.run(channel, Shop.BIDI, Loopback.within(20_000)));
		assertThat(refused.reason()).contains("RATE_LIMIT");
		assertThat(refused.metadata()).containsEntry("limit", "0.01").containsEntry("scope", "method");
		assertThat(refused.retryDelay()).hasValueSatisfying(
				(delay) -> assertThat(delay).isBetween(Duration.ofSeconds(70), Duration.ofSeconds(200)));
		assertThat(this.reached).hasValue(1);
		assertThat(resilience.inspection().admission().usage(method(resilience, Shop.BIDI))).isNull();
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void callThatIsOverBeforeItIsDequeuedTakesNothing(boolean expires) throws Exception {
		CountDownLatch dequeue = new CountDownLatch(1);
		GrpcResilience resilience = resilience(Policies.server()
			.section(AdmissionSettings.MAX_CONCURRENT, 5)
			.section(AdmissionSettings.MAX_PER_SECOND, 0.001));
		ExecutorService executor = Executors.newSingleThreadExecutor();
		StreamEnds ends = new StreamEnds();
		try {
			Server server = this.loopback.serve(resilience, shop(),
					(builder) -> builder.executor(executor).addStreamTracerFactory(ends));
			ManagedChannel channel = this.loopback.plainChannel(server);
			await().until(() -> channel.getState(true) == ConnectivityState.READY);
			executor.execute(() -> awaitQuietly(dequeue));
			Context.CancellableContext caller = Context.current().withCancellation();
			CompletableFuture<Ended> call = caller
				.call(() -> Calls.start(channel, Shop.BIDI, Loopback.within(expires ? 333 : 20_000)));
			await().untilAsserted(() -> assertThat(ends.opened).hasValue(1));
			if (!expires) {
				caller.cancel(null);
			}
			assertThat(call.orTimeout(20, TimeUnit.SECONDS).join().code())
				.isEqualTo(expires ? Status.Code.DEADLINE_EXCEEDED : Status.Code.CANCELLED);
			await().untilAsserted(() -> assertThat(ends.closed).hasValue(1));
			dequeue.countDown();
			ServedMethod bidi = method(resilience, Shop.BIDI);
			await().untilAsserted(() -> assertThat(bidi.counts().byCode()).isNotEmpty());
			// The only one that the rate lets in for many minutes.
			CompletableFuture<Ended> next = begin(channel, Shop.UNARY);
			assertThat(this.reached).as("handlers").hasValue(1);
			answerAll();
			assertThat(next.join().code()).isEqualTo(Status.Code.OK);
			assertThat(bidi.counts().byReason()).doesNotContainKeys(Reason.RATE_LIMIT, Reason.CONCURRENCY_LIMIT);
		}
		finally {
			dequeue.countDown();
			executor.shutdownNow();
		}
	}

	@Test
	void permitIsHeldWhileTheHandlerOfAnAnsweredCallStillWorks() {
		CountDownLatch working = new CountDownLatch(1);
		GrpcResilience resilience = resilience(Policies.server()
			.policy("all", "test.v1.Shop")
			.with(DeadlineSettings.MAX, Duration.ofMillis(333))
			.with(AdmissionSettings.MAX_CONCURRENT, 1)
			.end());
		Server server = this.loopback.serve(resilience, new Shop().unary((request, observer) -> {
			awaitQuietly(working);
			Shop.echo(request, observer);
		}));
		Channel channel = Calls.warm(this.loopback.plainChannel(server));
		try {
			assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code())
				.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			assertThat(usage(resilience, Shop.UNARY)).isEqualTo(new AdmissionUsage(new Use(1, 1), null));
			refused(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)));
		}
		finally {
			working.countDown();
		}
		await().untilAsserted(
				() -> assertThat(usage(resilience, Shop.UNARY)).isEqualTo(new AdmissionUsage(new Use(0, 1), null)));
	}

	@Test
	void observingRefusesNothingAndCounts() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.mode(Mode.OBSERVE)
			.events(events())
			.policies(Policies.server()
				.policy("all", "test.v1.Shop")
				.with(AdmissionSettings.MAX_CONCURRENT, 1)
				.end()
				.define()));
		Channel channel = channel(resilience);
		for (MethodDescriptor<String, String> type : Calls.types()) {
			CompletableFuture<Ended> one = begin(channel, type);
			CompletableFuture<Ended> other = begin(channel, type);
			assertThat(usage(resilience, type)).isEqualTo(new AdmissionUsage(new Use(1, 1), null));
			answerAll();
			assertThat(one.join().code()).isEqualTo(Status.Code.OK);
			assertThat(other.join().code()).isEqualTo(Status.Code.OK);
			await().untilAsserted(
					() -> assertThat(usage(resilience, type)).isEqualTo(new AdmissionUsage(new Use(0, 1), null)));
			assertThat(method(resilience, type).counts().byReason())
				.containsExactly(Map.entry(Reason.CONCURRENCY_LIMIT, 1L));
		}
		assertThat(this.decisions).hasSize(4).noneMatch(CallEnded::enforced);
	}

	@Test
	void nativeClientThatDoesNotRetryThisCodeCallsOnce() {
		assertThat(attemptsOfNativeClient("UNAVAILABLE")).isOne();
	}

	@Test
	void nativeClientThatRetriesThisCodeKeepsToItsOwnPolicy() {
		assertThat(attemptsOfNativeClient("RESOURCE_EXHAUSTED")).isEqualTo(3);
	}

	private long attemptsOfNativeClient(String code) {
		GrpcResilience resilience = resilience(
				Policies.server().policy("all", "test.v1.Shop/Unary").with(AdmissionSettings.MAX_CONCURRENT, 1).end());
		Server server = this.loopback.serve(resilience, shop());
		Map<String, ?> retry = Map.of("maxAttempts", 3.0, "initialBackoff", "0.007s", "maxBackoff", "0.033s",
				"backoffMultiplier", 2.0, "retryableStatusCodes", List.of(code));
		ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", server.getPort())
			.usePlaintext()
			.enableRetry()
			.defaultServiceConfig(Map.of("methodConfig",
					List.of(Map.of("name", List.of(Map.of("service", "test.v1.Shop")), "retryPolicy", retry))))
			.build();
		try {
			hold(channel, Shop.UNARY);
			refused(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)));
			return method(resilience, Shop.UNARY).counts().byReason().get(Reason.CONCURRENCY_LIMIT);
		}
		finally {
			channel.shutdownNow();
		}
	}

	@Test
	void adaptiveLimitBoundsUnaryCalls() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.adaptiveLimits(new NetflixLimits())
			.policies(Policies.server()
				.policy("all", "test.v1.Shop")
				.with(AdmissionSettings.ADAPTIVE, true)
				.with(AdmissionSettings.MAX_CONCURRENT, 2)
				.end()
				.policy("one", "test.v1.Shop/Bidi")
				.with(AdmissionSettings.ADAPTIVE, false)
				.end()
				.define()));
		Channel channel = channel(resilience);
		hold(channel, Shop.UNARY);
		hold(channel, Shop.UNARY);
		refused(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)));
		assertThat(usage(resilience, Shop.UNARY)).isEqualTo(new AdmissionUsage(new Use(2, 2), new Use(2, 2)));
		assertThat(usage(resilience, Shop.BIDI)).isEqualTo(new AdmissionUsage(new Use(0, 2), null));
		answerAll();
		await().untilAsserted(() -> assertThat(usage(resilience, Shop.UNARY))
			.isEqualTo(new AdmissionUsage(new Use(0, 2), new Use(0, 2))));
	}

	@Test
	void adaptiveLimitLearnsFromUnaryCallsThatSaySomething() {
		Samples samples = new Samples();
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.adaptiveLimits(samples)
			.policies(Policies.server()
				.section(AdmissionSettings.ADAPTIVE, true)
				.policy("all", "test.v1.Shop")
				.with(DeadlineSettings.MAX, Duration.ofSeconds(57))
				.end()
				.define()));
		Channel channel = channel(resilience);
		for (MethodDescriptor<String, String> type : Calls.types()) {
			CompletableFuture<Ended> served = begin(channel, type);
			answerAll();
			assertThat(served.join().code()).isEqualTo(Status.Code.OK);
			assertThat(begin(channel, type, Loopback.within(333)).join().code())
				.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			Context.CancellableContext caller = Context.current().withCancellation();
			CompletableFuture<Ended> left = callIn(caller, () -> begin(channel, type));
			caller.cancel(null);
			assertThat(left.join().code()).isEqualTo(Status.Code.CANCELLED);
			await().untilAsserted(() -> assertThat(
					method(resilience, type).counts().byCode().values().stream().mapToLong(Long::longValue).sum())
				.isEqualTo(3));
			this.held.clear();
		}
		await()
			.untilAsserted(() -> assertThat(resilience.inspection().admission().totalUsage().unary().inUse()).isZero());
		assertThat(samples.ended).hasSize(2).first().asString().startsWith("served");
		assertThat(samples.ended).last().asString().startsWith("overloaded");
		assertThat(Duration.ofNanos(samples.lastNanos)).isBetween(Duration.ofMillis(300), Duration.ofSeconds(20));
	}

	@Test
	void adaptiveLimitOfAStreamIsAFinding() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.adaptiveLimits(new NetflixLimits())
			.policies(Policies.server()
				.policy("all", "test.v1.Shop/Unary", "test.v1.Shop/Bidi")
				.with(AdmissionSettings.ADAPTIVE, true)
				.end()
				.define()));
		this.loopback.serve(resilience, shop());
		assertThat(resilience.inspection().findings()).filteredOn((finding) -> finding.id().equals("ADAPTIVE_STREAM"))
			.extracting(Finding::subject)
			.containsExactly("test.v1.Shop/Bidi");
	}

	@Test
	void adaptiveLimitWithoutItsLibraryIsAFault() {
		GrpcResilienceBuilder builder = GrpcResilience.builder()
			.policies(Policies.server()
				.section(AdmissionSettings.ADAPTIVE, true)
				.policy("on", "test.v1.Shop/Unary")
				.with(AdmissionSettings.ADAPTIVE, true)
				.end()
				.policy("off", "test.v1.Shop/Bidi")
				.with(AdmissionSettings.ADAPTIVE, false)
				.end()
				.define());
		assertThatExceptionOfType(InvalidPolicyException.class).isThrownBy(builder::build)
			.satisfies((thrown) -> assertThat(thrown.faults()).extracting(PolicyFault::property)
				.containsExactly("grpc.resilience.server.admission.adaptive",
						"grpc.resilience.server.policies.on.admission.adaptive"))
			.satisfies((thrown) -> assertThat(thrown.faults().get(0).remedy())
				.contains("com.netflix.concurrency-limits:concurrency-limits-core"));
	}

	@Test
	void nothingIsLimitedWhereNobodyAsksForIt() {
		GrpcResilience resilience = resilience(Policies.server()
			.policy("all", "test.v1.Shop")
			.with(DeadlineSettings.MAX, Duration.ofSeconds(57))
			.end());
		assertThat(resilience.inspection().admission().isOn()).isFalse();
		assertThat(resilience.inspection().admission().totalUsage()).isNull();
		Channel channel = channel(resilience);
		for (int i = 0; i < 9; i++) {
			hold(channel, Shop.UNARY);
		}
		assertThat(usage(resilience, Shop.UNARY)).isNull();
	}

	private GrpcResilience resilience(Policies server) {
		return this.loopback
			.resilience(GrpcResilience.builder().service("shop").events(events()).policies(server.define()));
	}

	private EventSink events() {
		return (event) -> {
			if (event instanceof CallEnded ended
					&& (ended.reason() == Reason.CONCURRENCY_LIMIT || ended.reason() == Reason.RATE_LIMIT)) {
				this.decisions.add(ended);
			}
		};
	}

	private Channel channel(GrpcResilience resilience) {
		HealthStatusManager health = new HealthStatusManager();
		return this.loopback.plainChannel(
				this.loopback.serve(resilience, shop(), (builder) -> builder.addService(health.getHealthService())));
	}

	/**
	 * Handlers that answer when the test says so.
	 */
	private Shop shop() {
		return new Shop().unary((request, observer) -> reached(observer))
			.serverStream((request, observer) -> reached(observer))
			.clientStream(this::requests)
			.bidi(this::requests);
	}

	private StreamObserver<String> requests(StreamObserver<String> observer) {
		reached(observer);
		return Shop.echoAll(new IgnoringObserver());
	}

	private void reached(StreamObserver<String> observer) {
		this.reached.incrementAndGet();
		this.held.add(observer);
	}

	private void answerAll() {
		for (StreamObserver<String> observer = this.held.poll(); observer != null; observer = this.held.poll()) {
			Shop.echo("x", observer);
		}
	}

	/**
	 * Starts a call and waits until its handler is reached.
	 */
	private CompletableFuture<Ended> begin(Channel channel, MethodDescriptor<String, String> type) {
		return begin(channel, type, Loopback.within(50_000));
	}

	private CompletableFuture<Ended> begin(Channel channel, MethodDescriptor<String, String> type,
			CallOptions options) {
		int before = this.reached.get();
		CompletableFuture<Ended> call = Calls.start(channel, type, options);
		await().untilAsserted(() -> assertThat(this.reached).as("handlers").hasValue(before + 1));
		return call;
	}

	private void hold(Channel channel, MethodDescriptor<String, String> type) {
		assertThat(begin(channel, type)).isNotDone();
	}

	private static <T> T callIn(Context context, Callable<T> task) {
		try {
			return context.call(task);
		}
		catch (Exception ex) {
			throw new AssertionError(ex);
		}
	}

	private static void awaitQuietly(CountDownLatch latch) {
		try {
			assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static GrpcErrors refused(Ended ended) {
		assertThat(ended.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(ended.messages()).isEmpty();
		assertThat(ended.trailers().containsKey(PUSHBACK)).as("push-back").isFalse();
		GrpcErrors errors = GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
		assertThat(errors.find(RetryInfo.class)).isPresent();
		assertThat(errors.details()).hasSize(2);
		return errors;
	}

	private static ServedMethod method(GrpcResilience resilience, MethodDescriptor<String, String> type) {
		return resilience.inspection()
			.servedMethods()
			.stream()
			.filter((method) -> method.name().equals(type.getFullMethodName()))
			.findFirst()
			.orElseThrow();
	}

	private static AdmissionUsage usage(GrpcResilience resilience, MethodDescriptor<String, String> type) {
		return resilience.inspection().admission().usage(method(resilience, type));
	}

	private static final class Samples implements AdaptiveLimits, AdaptiveLimit {

		private final Queue<String> ended = new ConcurrentLinkedQueue<>();

		private volatile long lastNanos;

		@Override
		public AdaptiveLimit create(int ceiling) {
			return this;
		}

		@Override
		public int limit() {
			return 7;
		}

		@Override
		public void ended(long tookNanos, int inUse, boolean overloaded) {
			this.ended.add((overloaded ? "overloaded" : "served") + " of " + inUse);
			this.lastNanos = tookNanos;
		}

	}

	private static final class StreamEnds extends ServerStreamTracer.Factory {

		private final AtomicInteger opened = new AtomicInteger();

		private final AtomicInteger closed = new AtomicInteger();

		@Override
		public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
			this.opened.incrementAndGet();
			return new ServerStreamTracer() {

				@Override
				public void streamClosed(Status status) {
					StreamEnds.this.closed.incrementAndGet();
				}

			};
		}

	}

	private static final class IgnoringObserver implements StreamObserver<String> {

		@Override
		public void onNext(String value) {
			// Only the test answers.
		}

		@Override
		public void onError(Throwable thrown) {
			// Only the test answers.
		}

		@Override
		public void onCompleted() {
			// Only the test answers.
		}

	}

}
