package io.github.grpcresilience.internal.deadline;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.internal.GrpcUtil;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.Stubs;
import io.github.grpcresilience.event.ResilienceEvent;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.CalledMethods;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.internal.time.UntimedScheduler;
import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

// A stub that is told nothing waits for ever, also when it is interrupted.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class ClientDeadlineTests {

	private static final CallOptions NO_DEADLINE = CallOptions.DEFAULT;

	private final Loopback loopback = new Loopback();

	private final Shop shop = new Shop();

	private final Received received = new Received();

	private final List<ResilienceEvent> events = new ArrayList<>();

	private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();

	private final CountDownLatch release = new CountDownLatch(1);

	private GrpcResilience resilience;

	@AfterEach
	void end() {
		this.release.countDown();
		this.loopback.close();
		this.scheduler.shutdownNow();
	}

	static List<MethodDescriptor<String, String>> types() {
		return Calls.types();
	}

	@Test
	void appliesTheDefaultToUnaryCalls() {
		Channel channel = client(Policies.client());
		Calls.run(channel, Shop.UNARY, NO_DEADLINE);
		assertThat(this.received.budget()).isBetween(Duration.ofMillis(1), Duration.ofSeconds(2));
	}

	@ParameterizedTest
	@MethodSource("types")
	void appliesTheDefaultOfAPolicyToAnyType(MethodDescriptor<String, String> method) {
		Channel channel = client(Policies.client()
			.policy("p", "test.v1.Shop")
			.with(DeadlineSettings.DEFAULT, Duration.ofMillis(17_077))
			.end());
		Calls.run(channel, method, NO_DEADLINE);
		assertThat(this.received.budget()).isBetween(Duration.ofMillis(7077), Duration.ofMillis(17_077));
	}

	@Test
	void keepsALongDeadlineThatSomebodyWrote() {
		Channel channel = client(Policies.client());
		Calls.run(channel, Shop.UNARY, Loopback.within(120_000));
		assertThat(this.received.budget()).isBetween(Duration.ofSeconds(100), Duration.ofSeconds(120));
	}

	@Test
	void shortensAnExplicitDeadlineToMax() {
		Channel channel = client(Policies.client().section(DeadlineSettings.MAX, Duration.ofSeconds(30)));
		Calls.run(channel, Shop.UNARY, Loopback.within(90_000));
		assertThat(this.received.budget()).isBetween(Duration.ofSeconds(20), Duration.ofSeconds(30));
	}

	@Test
	void leavesAShorterExplicitDeadlineAlone() {
		Channel channel = client(Policies.client());
		Calls.run(channel, Shop.UNARY, Loopback.within(14_070));
		assertThat(this.received.budget()).isBetween(Duration.ofMillis(7070), Duration.ofMillis(14_070));
	}

	@Test
	void defaultOfTheSectionIsNotForStreams() {
		Channel channel = client(Policies.client().section(DeadlineSettings.DEFAULT, Duration.ofMillis(1070)));
		for (MethodDescriptor<String, String> method : List.of(Shop.SERVER_STREAM, Shop.CLIENT_STREAM, Shop.BIDI)) {
			assertThat(Calls.run(channel, method, NO_DEADLINE).code()).isEqualTo(Status.Code.OK);
			assertThat(this.received.budget()).isNull();
		}
	}

	@Test
	void streamsWithoutADeadlineAreFoundOncePerMethod() {
		Channel channel = client(Policies.client());
		for (int i = 0; i < 3; i++) {
			types().forEach((method) -> Calls.run(channel, method, NO_DEADLINE));
		}
		assertThat(this.resilience.inspection().findings()).extracting(Finding::id)
			.containsOnly("STREAM_WITHOUT_DEADLINE");
		assertThat(this.resilience.inspection().findings()).extracting(Finding::subject)
			.containsExactlyInAnyOrder("test.v1.Shop/ServerStream", "test.v1.Shop/ClientStream", "test.v1.Shop/Bidi");
		assertThat(this.events).hasSize(3)
			.contains(new ResilienceEvent.StreamWithoutDeadline(Side.CLIENT, "test.v1.Shop/Bidi", "inventory"));
	}

	@Test
	void streamsWithADeadlineAreNotFound() throws Exception {
		Channel channel = client(Policies.client());
		Calls.run(channel, Shop.BIDI, Loopback.within(9000));
		inheriting(9000, () -> Calls.run(channel, Shop.SERVER_STREAM, NO_DEADLINE));
		assertThat(this.resilience.inspection().findings()).isEmpty();
	}

	@Test
	void policiesOfNamedClientsAreTheirs() {
		this.resilience = resilience(Policies.client()
			.policy("p", "test.v1.Shop")
			.clients("inventory")
			.with(DeadlineSettings.DEFAULT, Duration.ofMillis(17_077))
			.end());
		Server server = peer();
		Channel named = this.loopback.channel(server, this.resilience, "inventory");
		Channel other = this.loopback.channel(server, this.resilience, "catalog");
		Calls.run(named, Shop.UNARY, NO_DEADLINE);
		assertThat(this.received.budget()).isBetween(Duration.ofMillis(7077), Duration.ofMillis(17_077));
		Calls.run(other, Shop.UNARY, NO_DEADLINE);
		assertThat(this.received.budget()).isBetween(Duration.ofMillis(1), Duration.ofSeconds(2));
	}

	/**
	 * What a hop sends is its own deadline less the reserve; only the bounds depend on
	 * how long the call took to be made.
	 */
	@ParameterizedTest
	@MethodSource("types")
	void holdsTheReserveBackOfAnInheritedDeadline(MethodDescriptor<String, String> method) throws Exception {
		Channel channel = client(Policies.client());
		inheriting(1907, () -> {
			Deadline inherited = Context.current().getDeadline();
			long before = inherited.timeRemaining(TimeUnit.NANOSECONDS);
			assertThat(Calls.run(channel, method, NO_DEADLINE).code()).isEqualTo(Status.Code.OK);
			long after = inherited.timeRemaining(TimeUnit.NANOSECONDS);
			// grpc-timeout is cut to microseconds
			assertThat(this.received.budget().toNanos()).isBetween(after - before / 20 - 1000, before - before / 20);
		});
	}

	@ParameterizedTest
	@MethodSource("types")
	void holdsTheReserveBackInsideOfAHandler(MethodDescriptor<String, String> method) {
		Channel inventory = client(Policies.client());
		AtomicReference<List<Long>> left = new AtomicReference<>();
		Shop orders = new Shop().unary((request, observer) -> {
			Deadline own = Context.current().getDeadline();
			long before = own.timeRemaining(TimeUnit.NANOSECONDS);
			Ended ended = Calls.run(inventory, method, NO_DEADLINE);
			left.set(List.of(before, own.timeRemaining(TimeUnit.NANOSECONDS)));
			Shop.echo(ended.code().name(), observer);
		});
		Channel caller = Calls.warm(this.loopback.plainChannel(this.loopback.serve(this.resilience, orders)));
		assertThat(Loopback.call(caller, Loopback.within(1907), "x")).isEqualTo("OK");
		long before = left.get().get(0);
		assertThat(before).isLessThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(1907));
		assertThat(this.received.budget().toNanos()).isBetween(left.get().get(1) - before / 20 - 1000,
				before - before / 20);
	}

	@ParameterizedTest
	@CsvSource({ "20000, 19900", "2000, 1900", "1000, 950", "333, 316.35", "200, 190", "100, 90", "20, 10", "15, 7.5",
			"1, 0.5", "0.000001, 0.000001", "0, -1", "-7, -1" })
	void passesOnExactShares(double inheritedMillis, double expectedMillis) {
		// Time stands still, so nothing depends on how long the test takes.
		Deadline.Ticker ticker = new FakeTime();
		CalledMethods methods = Policies.client().calledBy("inventory");
		ClientInterceptor interceptor = ClientDeadlines.interceptor(methods, "inventory", ticker, Runnable::run,
				new Straight());
		Sent sent = new Sent();
		Deadline inherited = Deadline.after((long) (inheritedMillis * 1_000_000), TimeUnit.NANOSECONDS, ticker);
		try (Context.CancellableContext context = Context.ROOT.withDeadline(inherited, UntimedScheduler.INSTANCE)) {
			context.run(() -> interceptor.interceptCall(Shop.BIDI, NO_DEADLINE, sent));
		}
		assertThat(sent.nanos()).isEqualTo((expectedMillis < 0) ? -1 : (long) (expectedMillis * 1_000_000));
	}

	@Test
	void explicitDeadlineBelowTheInheritedShareWins() throws Exception {
		Channel channel = client(Policies.client());
		inheriting(29_000, () -> Calls.run(channel, Shop.BIDI, Loopback.within(12_070)));
		assertThat(this.received.budget()).isBetween(Duration.ofMillis(7070), Duration.ofMillis(12_070));
	}

	@ParameterizedTest
	@MethodSource("types")
	void rejectsCallsWithoutADeadlineOfAnyType(MethodDescriptor<String, String> method) {
		Channel channel = client(Policies.client()
			.policy("p", "test.v1.Shop")
			.with(DeadlineSettings.MISSING, MissingDeadline.REJECT)
			.end());
		Ended ended = Calls.run(channel, method, NO_DEADLINE);
		assertThat(ended.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		ErrorInfo info = ended.errorInfo();
		assertThat(info.getReason()).isEqualTo("DEADLINE_REQUIRED");
		assertThat(info.getDomain()).isEqualTo("grpc-resilience");
		assertThat(info.getMetadataMap()).containsEntry("side", "client")
			.containsEntry("method", method.getFullMethodName())
			.containsEntry("client", "inventory");
		assertThat(this.received.calls).hasValue(0);
		assertThat(called(method).counts().byReason()).containsEntry(Reason.DEADLINE_REQUIRED, 1L);
		assertThat(called(method).counts().inFlight()).isZero();
		assertThat(this.events).containsExactly(new ResilienceEvent.CallEnded(Side.CLIENT, method.getFullMethodName(),
				"inventory", Reason.DEADLINE_REQUIRED, true));
	}

	@ParameterizedTest
	@MethodSource("types")
	void rejectsNoCallThatHasADeadline(MethodDescriptor<String, String> method) throws Exception {
		Channel channel = client(Policies.client()
			.policy("p", "test.v1.Shop")
			.with(DeadlineSettings.MISSING, MissingDeadline.REJECT)
			.end());
		assertThat(Calls.run(channel, method, Loopback.within(9000)).code()).isEqualTo(Status.Code.OK);
		inheriting(9000, () -> assertThat(Calls.run(channel, method, NO_DEADLINE).code()).isEqualTo(Status.Code.OK));
		assertThat(this.received.calls).hasValue(2);
	}

	@Test
	void rejectInTheSectionIsForUnaryCallsOnly() {
		Channel channel = client(Policies.client().section(DeadlineSettings.MISSING, MissingDeadline.REJECT));
		assertThat(Calls.run(channel, Shop.UNARY, NO_DEADLINE).code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(Calls.run(channel, Shop.BIDI, NO_DEADLINE).code()).isEqualTo(Status.Code.OK);
	}

	@ParameterizedTest
	@MethodSource("types")
	void sendsNoDeadlineWhereThePolicyAllowsIt(MethodDescriptor<String, String> method) {
		Channel channel = client(Policies.client()
			.policy("p", "test.v1.Shop")
			.with(DeadlineSettings.MISSING, MissingDeadline.ALLOW)
			.end());
		assertThat(Calls.run(channel, method, NO_DEADLINE).code()).isEqualTo(Status.Code.OK);
		assertThat(this.received.calls).hasValue(1);
		assertThat(this.received.budget()).isNull();
	}

	@ParameterizedTest
	@MethodSource("types")
	void sendsNothingWhenTheInheritedBudgetIsSpent(MethodDescriptor<String, String> method) throws Exception {
		Channel channel = client(Policies.client());
		inheriting(0, () -> {
			Ended ended = Calls.run(channel, method, Loopback.within(9000));
			assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			ErrorInfo info = ended.errorInfo();
			assertThat(info.getReason()).isEqualTo("BUDGET_EXHAUSTED");
			assertThat(info.getMetadataMap()).containsEntry("side", "client")
				.containsEntry("method", method.getFullMethodName())
				.containsEntry("client", "inventory")
				.containsEntry("budget_ms", "0");
		});
		assertThat(this.received.calls).hasValue(0);
		assertThat(called(method).counts().byReason()).containsOnlyKeys(Reason.BUDGET_EXHAUSTED);
		assertThat(called(method).counts().inFlight()).isZero();
	}

	@Test
	void sendsNothingOnceADeadlineCancelledTheCaller() throws Exception {
		Channel channel = client(Policies.client());
		Context.CancellableContext context = Context.current().withDeadlineAfter(20, TimeUnit.SECONDS, this.scheduler);
		context.cancel(new TimeoutException("answered before its deadline"));
		Ended ended = context.call(() -> Calls.run(channel, Shop.UNARY, NO_DEADLINE));
		assertThat(ended.errorInfo().getReason()).isEqualTo("BUDGET_EXHAUSTED");
		assertThat(this.received.calls).hasValue(0);
	}

	@Test
	void callerThatLeftIsNotAnExhaustedBudget() throws Exception {
		Channel channel = client(Policies.client());
		Context.CancellableContext context = Context.current().withDeadlineAfter(20, TimeUnit.SECONDS, this.scheduler);
		context.cancel(null);
		Ended ended = context.call(() -> Calls.run(channel, Shop.UNARY, NO_DEADLINE));
		assertThat(ended.code()).isEqualTo(Status.Code.CANCELLED);
		assertThat(called(Shop.UNARY).counts().byReason()).isEmpty();
	}

	@ParameterizedTest
	@MethodSource("types")
	void explainsADeadlineThatEndedBeforeAnyServerWasReached(MethodDescriptor<String, String> method) throws Exception {
		this.resilience = resilience(Policies.client());
		try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
			Channel channel = this.loopback.channel(silent.getLocalPort(), this.resilience, "inventory");
			explained(Calls.run(channel, method, Loopback.within(177)), method, 177);
		}
		assertThat(called(method).counts().byReason()).containsOnlyKeys(Reason.DEADLINE_EXCEEDED);
		assertThat(called(method).counts().inFlight()).isZero();
	}

	@ParameterizedTest
	@MethodSource("types")
	void explainsADeadlineThatEndedWhileAPeerWasSilent(MethodDescriptor<String, String> method) {
		neverAnswer();
		Channel channel = client(Policies.client());
		explained(Calls.run(channel, method, Loopback.within(177)), method, 177);
	}

	@Test
	void explainsADefaultThatEndedWhileAHandlerBlocked() {
		this.shop.unary((request, observer) -> block());
		Channel channel = client(Policies.client().section(DeadlineSettings.DEFAULT, Duration.ofMillis(177)));
		explained(Calls.run(channel, Shop.UNARY, NO_DEADLINE), Shop.UNARY, 177);
	}

	@Test
	void explainsADeadlineThatHadPassedBeforeTheCall() {
		Channel channel = client(Policies.client());
		Ended ended = Calls.run(channel, Shop.UNARY, NO_DEADLINE.withDeadlineAfter(-7, TimeUnit.MILLISECONDS));
		assertThat(ended.errorInfo().getMetadataMap()).containsEntry("side", "client").containsEntry("budget_ms", "0");
		assertThat(this.received.calls).hasValue(0);
	}

	private void explained(Ended ended, MethodDescriptor<?, ?> method, int budgetMillis) {
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		ErrorInfo info = ended.errorInfo();
		assertThat(info.getReason()).isEqualTo("DEADLINE_EXCEEDED");
		assertThat(info.getDomain()).isEqualTo("grpc-resilience");
		assertThat(info.getMetadataMap()).containsOnlyKeys("side", "method", "client", "budget_ms", "elapsed_ms")
			.containsEntry("side", "client")
			.containsEntry("method", method.getFullMethodName())
			.containsEntry("client", "inventory");
		assertThat(Integer.parseInt(info.getMetadataOrThrow("budget_ms"))).isBetween(budgetMillis / 2, budgetMillis);
		assertThat(Integer.parseInt(info.getMetadataOrThrow("elapsed_ms")))
			.isGreaterThanOrEqualTo(Integer.parseInt(info.getMetadataOrThrow("budget_ms")));
	}

	@Test
	void keepsTheDetailsThatAServerSent() {
		neverAnswer();
		this.resilience = resilience(Policies.client());
		GrpcResilience other = this.loopback.resilience(GrpcResilience.builder()
			.service("warehouse")
			.policies(Policies.server().section(DeadlineSettings.MAX, Duration.ofMillis(177)).define()));
		Channel channel = this.loopback.channel(this.loopback.serve(other, this.shop), this.resilience, "inventory");
		ErrorInfo info = Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).errorInfo();
		assertThat(info.getMetadataMap()).containsEntry("side", "server").containsEntry("service", "warehouse");
	}

	@Test
	void keepsForeignDetailsEvenOfADeadline() {
		Metadata.Key<byte[]> key = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
		byte[] foreign = { 7, 7, 7 };
		this.shop.unary((request, observer) -> {
			Metadata trailers = new Metadata();
			trailers.put(key, foreign);
			observer.onError(Status.DEADLINE_EXCEEDED.asRuntimeException(trailers));
		});
		Channel channel = client(Policies.client());
		assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(9000)).trailers().getAll(key))
			.containsExactly(foreign);
	}

	@Test
	void explainsNothingThatAServerEndedInTime() {
		this.shop.unary((request, observer) -> observer
			.onError(Status.DEADLINE_EXCEEDED.withDescription("its own").asRuntimeException()));
		Channel channel = client(Policies.client());
		Ended ended = Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(ended.status().getDescription()).isEqualTo("its own");
		assertThat(ended.trailers().keys()).doesNotContain("grpc-status-details-bin");
		assertThat(called(Shop.UNARY).counts().byReason()).isEmpty();
	}

	@ParameterizedTest
	@MethodSource("types")
	void observeChangesNothingAndCounts(MethodDescriptor<String, String> method) throws Exception {
		this.resilience = this.loopback.resilience(GrpcResilience.builder()
			.mode(Mode.OBSERVE)
			.policies(Policies.client()
				.policy("p", "test.v1.Shop")
				.with(DeadlineSettings.MISSING, MissingDeadline.REJECT)
				.with(DeadlineSettings.MAX, Duration.ofNanos(1))
				.with(DeadlineSettings.DEFAULT, Duration.ofNanos(1))
				.end()
				.define()));
		Channel channel = this.loopback.channel(peer(), this.resilience, "inventory");
		assertThat(Calls.run(channel, method, NO_DEADLINE).code()).isEqualTo(Status.Code.OK);
		assertThat(this.received.budget()).isNull();
		assertThat(Calls.run(channel, method, Loopback.within(20_000)).code()).isEqualTo(Status.Code.OK);
		assertThat(this.received.budget()).isBetween(Duration.ofSeconds(7), Duration.ofSeconds(20));
		assertThat(called(method).counts().byReason()).containsEntry(Reason.DEADLINE_REQUIRED, 1L)
			.containsEntry(Reason.DEADLINE_EXCEEDED, 1L);
		inheriting(0, () -> {
			Ended ended = Calls.run(channel, method, NO_DEADLINE);
			assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			assertThat(ended.trailers().keys()).doesNotContain("grpc-status-details-bin");
		});
		assertThat(called(method).counts().byReason()).as("each call decided once")
			.containsEntry(Reason.BUDGET_EXHAUSTED, 1L)
			.containsEntry(Reason.DEADLINE_EXCEEDED, 1L);
		await().until(() -> called(method).counts().inFlight() == 0);
	}

	@ParameterizedTest
	@EnumSource
	void everyStubGetsItsAnswer(Stubs stub) throws Exception {
		Channel channel = client(Policies.client());
		assertThat(stub.call(channel, NO_DEADLINE, "x")).isEqualTo("x");
		await().until(() -> called(stub.method()).counts().inFlight() == 0);
		assertThat(called(stub.method()).counts().byCode()).containsOnlyKeys(Status.Code.OK);
	}

	@ParameterizedTest
	@EnumSource
	void everyStubIsToldOfItsDeadline(Stubs stub) {
		neverAnswer();
		Channel channel = client(Policies.client());
		Throwable thrown = catchThrowable(() -> stub.call(channel, Loopback.within(177), "x"));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(Loopback.errorInfo(thrown).getMetadataMap()).containsEntry("side", "client");
		await().until(() -> called(stub.method()).counts().inFlight() == 0);
	}

	@ParameterizedTest
	@EnumSource
	void everyStubIsToldOfARefusal(Stubs stub) {
		Channel channel = client(Policies.client()
			.policy("p", "test.v1.Shop")
			.with(DeadlineSettings.MISSING, MissingDeadline.REJECT)
			.end());
		Throwable thrown = catchThrowable(() -> stub.call(channel, NO_DEADLINE, "x"));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(Loopback.errorInfo(thrown).getReason()).isEqualTo("DEADLINE_REQUIRED");
		assertThat(this.received.calls).hasValue(0);
		assertThat(called(stub.method()).counts().inFlight()).isZero();
	}

	@Test
	void refusalIsToldOnTheExecutorOfTheCall() {
		Channel channel = client(Policies.client().section(DeadlineSettings.MISSING, MissingDeadline.REJECT));
		Queue<Runnable> tasks = new ArrayDeque<>();
		CompletableFuture<Ended> ended = Calls.start(channel, Shop.UNARY, NO_DEADLINE.withExecutor(tasks::add));
		assertThat(ended).as("told inside of start()").isNotDone();
		assertThat(tasks).hasSize(1);
		tasks.remove().run();
		assertThat(ended.join().code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void refusalIsToldOnAnotherThreadWhereTheCallHasNoExecutor() {
		Channel channel = client(Policies.client().section(DeadlineSettings.MISSING, MissingDeadline.REJECT));
		for (int i = 0; i < 50; i++) {
			assertThat(Calls.run(channel, Shop.UNARY, NO_DEADLINE).thread()).isNotSameAs(Thread.currentThread());
		}
	}

	@Test
	void refusalIsToldOnTheThreadOfABlockingStub() {
		AtomicReference<Thread> told = new AtomicReference<>();
		Channel channel = ClientInterceptors.intercept(
				client(Policies.client().section(DeadlineSettings.MISSING, MissingDeadline.REJECT)),
				new Closings(told));
		assertThat(catchThrowable(() -> Loopback.call(channel, NO_DEADLINE, "x")))
			.isInstanceOf(StatusRuntimeException.class);
		assertThat(told).hasValue(Thread.currentThread());
	}

	@Test
	void refusalIsToldInTheContextOfTheCall() throws Exception {
		Context.Key<String> key = Context.key("test");
		Channel channel = client(Policies.client().section(DeadlineSettings.MISSING, MissingDeadline.REJECT));
		Queue<Runnable> tasks = new ArrayDeque<>();
		CompletableFuture<String> seen = Context.current()
			.withValue(key, "of the call")
			.call(() -> Calls.start(channel, Shop.UNARY, NO_DEADLINE.withExecutor(tasks::add)))
			.thenApply((ended) -> String.valueOf(key.get()));
		tasks.remove().run();
		assertThat(seen).isCompletedWithValue("of the call");
	}

	@Test
	void blockedListenersOfRefusalsHoldBackNeitherAnswersNorCancellations() {
		GrpcResilience both = this.loopback.resilience(GrpcResilience.builder()
			.policies(Policies.client().section(DeadlineSettings.MISSING, MissingDeadline.REJECT).define())
			.policies(Policies.server().section(DeadlineSettings.MAX, Duration.ofMillis(177)).define()));
		CompletableFuture<Throwable> stopped = new CompletableFuture<>();
		this.shop.unary((request, observer) -> Context.current()
			.addListener((context) -> stopped.complete(context.cancellationCause()), Runnable::run));
		Server server = this.loopback.serve(both, this.shop);
		Channel protectedChannel = this.loopback.channel(server, both, "inventory");
		AtomicInteger told = new AtomicInteger();
		for (int i = 0; i < 64; i++) {
			ClientCall<String, String> call = protectedChannel.newCall(Shop.UNARY, NO_DEADLINE);
			call.start(new ClientCall.Listener<>() {

				@Override
				public void onClose(Status status, Metadata trailers) {
					told.incrementAndGet();
					block();
				}

			}, new Metadata());
		}
		await().until(() -> told.get() > 0);
		Ended ended = Calls.run(this.loopback.plainChannel(server), Shop.UNARY, Loopback.within(15_000));
		assertThat(ended.errorInfo().getMetadataMap()).containsEntry("side", "server");
		assertThat(stopped.orTimeout(10, TimeUnit.SECONDS).join()).isInstanceOf(TimeoutException.class);
	}

	@Test
	void callThatIsCancelledBeforeItStartsIsNotInFlight() {
		Channel channel = client(Policies.client());
		ClientCall<String, String> call = channel.newCall(Shop.UNARY, NO_DEADLINE);
		call.cancel("changed my mind", null);
		assertThat(called(Shop.UNARY).counts().inFlight()).isZero();
	}

	@ParameterizedTest
	@MethodSource("types")
	void callThatIsCancelledIsNotInFlight(MethodDescriptor<String, String> method) {
		neverAnswer();
		Channel channel = client(Policies.client());
		ClientCall<String, String> call = channel.newCall(method, Loopback.within(20_000));
		CompletableFuture<Status> closed = new CompletableFuture<>();
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onClose(Status status, Metadata trailers) {
				closed.complete(status);
			}

		}, new Metadata());
		assertThat(called(method).counts().inFlight()).isOne();
		call.cancel("changed my mind", null);
		assertThat(closed.orTimeout(20, TimeUnit.SECONDS).join().getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(called(method).counts().inFlight()).isZero();
		assertThat(called(method).counts().byCode()).containsOnlyKeys(Status.Code.CANCELLED);
	}

	private ManagedChannel client(Policies policies) {
		this.resilience = resilience(policies);
		Server peer = peer();
		ManagedChannel channel = this.loopback.channel(peer, this.resilience, "inventory");
		Calls.warm(this.loopback.plainChannel(peer));
		this.received.calls.set(0);
		return channel;
	}

	private GrpcResilience resilience(Policies policies) {
		return this.loopback
			.resilience(GrpcResilience.builder().policies(policies.define()).events((event) -> this.events.add(event)));
	}

	private Server peer() {
		return this.loopback.servePlain(this.shop, (builder) -> builder.intercept(this.received));
	}

	private CalledMethod called(MethodDescriptor<?, ?> method) {
		return this.resilience.inspection()
			.calledMethods()
			.stream()
			.filter((known) -> known.name().equals(method.getFullMethodName()))
			.findFirst()
			.orElseThrow();
	}

	private void inheriting(long millis, ThrowingRunnable test) throws Exception {
		try (Context.CancellableContext context = Context.current()
			.withDeadlineAfter(millis, TimeUnit.MILLISECONDS, this.scheduler)) {
			context.call(() -> {
				test.run();
				return true;
			});
		}
	}

	/**
	 * All handlers but the client stream's are silent; that one is silent to all but the
	 * call that warms up.
	 */
	private void neverAnswer() {
		AtomicInteger streams = new AtomicInteger();
		this.shop.unary((request, observer) -> {
		}).serverStream((request, observer) -> {
		}).bidi((observer) -> new Silent()).clientStream((observer) -> {
			return (streams.getAndIncrement() == 0) ? Shop.echoAll(observer) : new Silent();
		});
	}

	private void block() {
		try {
			this.release.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@FunctionalInterface
	private interface ThrowingRunnable {

		void run() throws Exception;

	}

	private static final class Silent implements StreamObserver<String> {

		@Override
		public void onNext(String value) {
			// Says nothing.
		}

		@Override
		public void onError(Throwable thrown) {
			// Says nothing.
		}

		@Override
		public void onCompleted() {
			// Says nothing.
		}

	}

	/**
	 * What reached the server.
	 */
	private static final class Received implements ServerInterceptor {

		private final AtomicInteger calls = new AtomicInteger();

		private final AtomicReference<Metadata> headers = new AtomicReference<>();

		@Override
		public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
				ServerCallHandler<ReqT, RespT> next) {
			this.calls.incrementAndGet();
			this.headers.set(headers);
			return next.startCall(call, headers);
		}

		/**
		 * Budget of the last call.
		 * @return what was sent; {@code null} for a call without a deadline
		 */
		Duration budget() {
			Long nanos = this.headers.get().get(GrpcUtil.TIMEOUT_KEY);
			return (nanos != null) ? Duration.ofNanos(nanos) : null;
		}

	}

	private static final class Closings implements ClientInterceptor {

		private final AtomicReference<Thread> told;

		Closings(AtomicReference<Thread> told) {
			this.told = told;
		}

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options, Channel next) {
			return new SimpleForwardingClientCall<>(next.newCall(method, options)) {

				@Override
				public void start(Listener<RespT> listener, Metadata headers) {
					super.start(new SimpleForwardingClientCallListener<>(listener) {

						@Override
						public void onClose(Status status, Metadata trailers) {
							Closings.this.told.set(Thread.currentThread());
							super.onClose(status, trailers);
						}

					}, headers);
				}

			};
		}

	}

	private static final class Straight implements ClientInterceptor {

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options, Channel next) {
			return next.newCall(method, options);
		}

	}

	/**
	 * Notes what would be sent, and sends nothing.
	 */
	private static final class Sent extends Channel {

		private CallOptions options;

		long nanos() {
			return (this.options != null) ? this.options.getDeadline().timeRemaining(TimeUnit.NANOSECONDS) : -1;
		}

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> newCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options) {
			this.options = options;
			return new ClientCall<>() {

				@Override
				public void start(Listener<RespT> listener, Metadata headers) {
					throw new IllegalStateException("never started");
				}

				@Override
				public void request(int numMessages) {
					throw new IllegalStateException("never started");
				}

				@Override
				public void cancel(String message, Throwable cause) {
					throw new IllegalStateException("never started");
				}

				@Override
				public void halfClose() {
					throw new IllegalStateException("never started");
				}

				@Override
				public void sendMessage(ReqT message) {
					throw new IllegalStateException("never started");
				}

			};
		}

		@Override
		public String authority() {
			return "test";
		}

	}

}
