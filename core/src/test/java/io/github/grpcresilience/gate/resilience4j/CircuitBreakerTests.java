package io.github.grpcresilience.gate.resilience4j;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

import com.google.protobuf.Duration;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.Stubs;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * What a circuit breaker learns of calls, and what callers see of it.
 */
class CircuitBreakerTests {

	private final Loopback loopback = new Loopback();

	private final Engines engines = new Engines();

	private final Shop shop = new Shop();

	private final AtomicInteger arrived = new AtomicInteger();

	private Server server;

	private GrpcResilience resilience;

	@BeforeEach
	void serve() {
		this.server = this.loopback.servePlain(this.shop, (builder) -> builder.intercept(new Arrivals(this.arrived)));
	}

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private static PolicyDefinition guarded() {
		return Policies.client()
			.policy("shop", "test.v1.Shop")
			.with(GateSettings.BREAKER_INSTANCE, Engines.NAME)
			.end()
			.define();
	}

	private ManagedChannel channel() {
		return channel(guarded(), Mode.ENFORCE);
	}

	private ManagedChannel channel(PolicyDefinition policies, Mode mode) {
		this.resilience = this.loopback.resilience(this.engines.client(policies).mode(mode));
		return this.loopback.channel(this.server, this.resilience, "shop");
	}

	private static CallOptions patient() {
		return Loopback.within(20_000);
	}

	@ParameterizedTest
	@EnumSource(value = Status.Code.class, names = { "UNAVAILABLE", "INTERNAL", "UNKNOWN", "DATA_LOSS" })
	void countsFailuresOfWhatIsCalled(Status.Code code) {
		this.shop.unary((request, observer) -> Engines.fail(observer, code));
		assertThat(Calls.run(channel(), Shop.UNARY, patient()).code()).isEqualTo(code);
		assertThat(this.engines.failed()).isOne();
		assertThat(this.engines.succeeded()).isZero();
	}

	@ParameterizedTest
	@EnumSource(value = Status.Code.class, mode = EnumSource.Mode.EXCLUDE,
			names = { "OK", "UNAVAILABLE", "INTERNAL", "UNKNOWN", "DATA_LOSS", "DEADLINE_EXCEEDED", "CANCELLED" })
	void countsOtherAnswersAsSuccesses(Status.Code code) {
		this.shop.unary((request, observer) -> Engines.fail(observer, code));
		assertThat(Calls.run(channel(), Shop.UNARY, patient()).code()).isEqualTo(code);
		assertThat(this.engines.failed()).isZero();
		assertThat(this.engines.succeeded()).isOne();
	}

	@ParameterizedTest
	@EnumSource(Stubs.class)
	void countsEachCallOnce(Stubs stub) throws Exception {
		assertThat(stub.call(channel(), patient(), "a")).isEqualTo("a");
		await().untilAsserted(() -> assertThat(this.engines.succeeded()).isOne());
		assertThat(this.engines.failed()).isZero();
	}

	@Test
	void doesNotCountCancelledStatus() {
		this.shop.unary((request, observer) -> Engines.fail(observer, Status.Code.CANCELLED));
		assertThat(Calls.run(channel(), Shop.UNARY, patient()).code()).isEqualTo(Status.Code.CANCELLED);
		assertNothingCounted();
	}

	@Test
	void countsOwnDeadline() {
		this.shop.unary((request, observer) -> {
		});
		ManagedChannel channel = Calls.warm(channel());
		Calls.Ended ended = Calls.run(channel, Shop.UNARY, Loopback.within(70));
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(this.engines.failed()).isOne();
	}

	@Test
	void doesNotCountInheritedDeadline() throws Exception {
		this.shop.unary((request, observer) -> {
		});
		ManagedChannel channel = Calls.warm(channel());
		Calls.Ended ended = inherited(90, () -> Calls.run(channel, Shop.UNARY, patient()));
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(this.engines.failed()).isZero();
		assertThat(this.engines.succeeded()).as("the one that warmed up").isOne();
	}

	@Test
	void doesNotCountInheritedDeadlineWhenObserving() throws Exception {
		this.shop.unary((request, observer) -> {
		});
		ManagedChannel channel = Calls.warm(channel(guarded(), Mode.OBSERVE));
		Calls.Ended ended = inherited(90, () -> Calls.run(channel, Shop.UNARY, patient()));
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(this.engines.failed()).isZero();
	}

	@Test
	void countsOwnDeadlineWithinLongerInheritedOne() throws Exception {
		this.shop.unary((request, observer) -> {
		});
		ManagedChannel channel = Calls.warm(channel());
		Calls.Ended ended = inherited(20_000, () -> Calls.run(channel, Shop.UNARY, Loopback.within(70)));
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(this.engines.failed()).isOne();
	}

	@Test
	void doesNotCountEndOfServedCall() throws Exception {
		this.shop.unary((request, observer) -> {
		});
		ManagedChannel channel = Calls.warm(channel());
		try (Context.CancellableContext served = Context.current().withCancellation()) {
			CompletableFuture<Calls.Ended> ended = served.call(() -> Calls.start(channel, Shop.UNARY, patient()));
			await().until(() -> this.arrived.get() == 2);
			served.cancel(new TimeoutException("out of time"));
			assertThat(ended.get(20, TimeUnit.SECONDS).code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		}
		assertThat(this.engines.failed()).isZero();
		assertThat(this.engines.succeeded()).as("the one that warmed up").isOne();
	}

	@Test
	void countsTimeoutOfAttempt() throws Exception {
		assertThat(cancelledWith(new TimeoutException("attempt-timeout")).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(this.engines.failed()).isOne();
	}

	@Test
	void doesNotCountCancelledCall() throws Exception {
		assertThat(cancelledWith(null).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertNothingCounted();
	}

	@Test
	void doesNotCountNeverStartedCall() {
		ManagedChannel channel = channel();
		this.engines.breaker.transitionToOpenState();
		this.engines.breaker.transitionToHalfOpenState();
		for (int i = 0; i < 5; i++) {
			channel.newCall(Shop.UNARY, patient()).cancel("never started", null);
			channel.newCall(Shop.UNARY, patient());
		}
		assertThat(Calls.run(channel, Shop.UNARY, patient()).code()).isEqualTo(Status.Code.OK);
	}

	@Test
	void tellsCallersThatCircuitIsOpen() {
		ManagedChannel channel = channel();
		this.engines.breaker.transitionToOpenState();
		Calls.Ended ended = Calls.run(channel, Shop.UNARY, patient());
		assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(ended.status().getDescription()).contains("not sent", "circuit breaker");
		assertThat(Engines.errorInfo(ended).getReason()).isEqualTo("CIRCUIT_OPEN");
		assertThat(Engines.errorInfo(ended).getDomain()).isEqualTo("grpc-resilience");
		assertThat(Engines.errorInfo(ended).getMetadataMap()).containsEntry("method", "test.v1.Shop/Unary")
			.containsEntry("client", "shop")
			.containsEntry("side", "client");
		assertThat(Engines.retryInfo(ended).getRetryDelay())
			.isEqualTo(Duration.newBuilder().setSeconds(7).setNanos(300_000_000).build());
		assertThat(this.arrived).as("calls sent").hasValue(0);
		assertThat(ended.thread()).as("thread that is told").isNotSameAs(Thread.currentThread());
	}

	@ParameterizedTest
	@EnumSource(Stubs.class)
	void failsEveryKindOfStubWhileOpen(Stubs stub) {
		ManagedChannel channel = channel();
		this.engines.breaker.transitionToOpenState();
		assertThatThrownBy(() -> stub.call(channel, patient(), "a")).satisfies(
				(thrown) -> assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.UNAVAILABLE));
		assertThat(this.arrived).as("calls sent").hasValue(0);
	}

	@Test
	void countsRefusedCallsOnce() {
		ManagedChannel channel = channel();
		this.engines.breaker.transitionToOpenState();
		Calls.run(channel, Shop.UNARY, patient());
		assertThat(this.resilience.inspection().calledMethods()).singleElement().satisfies((method) -> {
			assertThat(method.counts().byReason()).containsEntry(Reason.CIRCUIT_OPEN, 1L).hasSize(1);
			assertThat(method.counts().byCode()).containsEntry(Status.Code.UNAVAILABLE, 1L).hasSize(1);
			assertThat(method.counts().inFlight()).isZero();
		});
		assertThat(this.engines.breaker.getMetrics().getNumberOfNotPermittedCalls()).isOne();
	}

	@Test
	void refusedCallIsDeafAndDumb() {
		ManagedChannel channel = channel();
		this.engines.breaker.transitionToOpenState();
		ClientCall<String, String> call = channel.newCall(Shop.BIDI, patient());
		CompletableFuture<Status> ended = new CompletableFuture<>();
		call.start(new Ending(ended), new Metadata());
		call.request(3);
		call.sendMessage("x");
		call.halfClose();
		call.cancel("late", null);
		assertThat(ended.orTimeout(20, TimeUnit.SECONDS).join().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThatThrownBy(() -> call.start(new Ending(ended), new Metadata()))
			.isInstanceOf(IllegalStateException.class);
	}

	@Test
	void observesOpenCircuitWithoutRefusing() {
		ManagedChannel channel = channel(guarded(), Mode.OBSERVE);
		this.engines.breaker.transitionToOpenState();
		assertThat(Calls.run(channel, Shop.UNARY, patient()).code()).isEqualTo(Status.Code.OK);
		assertThat(this.resilience.inspection().calledMethods()).singleElement()
			.satisfies((method) -> assertThat(method.counts().byReason()).containsEntry(Reason.CIRCUIT_OPEN, 1L));
	}

	@Test
	void feedsCircuitBreakerWhenObserving() {
		ManagedChannel channel = channel(guarded(), Mode.OBSERVE);
		this.shop.unary((request, observer) -> Engines.fail(observer, Status.Code.UNAVAILABLE));
		Calls.run(channel, Shop.UNARY, patient());
		Calls.run(channel, Shop.UNARY, patient());
		assertThat(this.engines.breaker.getState()).isEqualTo(State.OPEN);
	}

	@Test
	void opensAndClosesAgain() {
		ManagedChannel channel = channel();
		this.shop.unary((request, observer) -> Engines.fail(observer, Status.Code.UNAVAILABLE));
		Calls.run(channel, Shop.UNARY, patient());
		Calls.run(channel, Shop.UNARY, patient());
		assertThat(this.engines.breaker.getState()).isEqualTo(State.OPEN);
		this.shop.unary(Shop::echo);
		this.engines.breaker.transitionToHalfOpenState();
		Calls.run(channel, Shop.UNARY, patient());
		Calls.run(channel, Shop.UNARY, patient());
		assertThat(this.engines.breaker.getState()).isEqualTo(State.CLOSED);
	}

	@Test
	void cancelledProbesAreGivenBack() throws Exception {
		ManagedChannel channel = channel();
		this.engines.breaker.transitionToOpenState();
		this.engines.breaker.transitionToHalfOpenState();
		this.shop.unary((request, observer) -> {
		});
		for (int i = 0; i < 20; i++) {
			cancelledWith(channel, null, i + 1);
		}
		assertThat(this.engines.breaker.getState()).isEqualTo(State.HALF_OPEN);
		assertThat(this.engines.breaker.getMetrics().getNumberOfNotPermittedCalls()).isZero();
		this.shop.unary(Shop::echo);
		Calls.run(channel, Shop.UNARY, patient());
		Calls.run(channel, Shop.UNARY, patient());
		assertThat(this.engines.breaker.getState()).isEqualTo(State.CLOSED);
	}

	@Test
	void callsOfEarlierStateGiveNoProbesBack() throws Exception {
		ManagedChannel channel = Calls.warm(channel());
		this.shop.unary((request, observer) -> {
		});
		ClientCall<String, String> old = channel.newCall(Shop.UNARY, patient());
		CompletableFuture<Status> ended = start(old);
		await().until(() -> this.arrived.get() == 2);
		this.engines.breaker.transitionToOpenState();
		this.engines.breaker.transitionToHalfOpenState();
		old.cancel("caller left", null);
		ended.get(20, TimeUnit.SECONDS);
		List<CompletableFuture<Status>> probes = List.of(start(channel.newCall(Shop.UNARY, patient())),
				start(channel.newCall(Shop.UNARY, patient())), start(channel.newCall(Shop.UNARY, patient())));
		assertThat(probes.get(2).get(20, TimeUnit.SECONDS).getCode()).as("a third probe, where two are permitted")
			.isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(probes.get(0)).isNotDone();
		assertThat(probes.get(1)).isNotDone();
	}

	@Test
	void recordsStreamAtItsFirstMessage() throws Exception {
		CompletableFuture<StreamObserver<String>> handler = new CompletableFuture<>();
		this.shop.serverStream((request, observer) -> {
			observer.onNext("first");
			handler.complete(observer);
		});
		CompletableFuture<Calls.Ended> ended = Calls.start(channel(), Shop.SERVER_STREAM, patient());
		await().untilAsserted(() -> assertThat(this.engines.succeeded()).isOne());
		assertThat(ended).isNotDone();
		Engines.fail(handler.get(20, TimeUnit.SECONDS), Status.Code.UNAVAILABLE);
		assertThat(ended.get(20, TimeUnit.SECONDS).code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(this.engines.failed()).as("failures after the first message").isZero();
		assertThat(this.engines.succeeded()).isOne();
	}

	@Test
	void recordsStreamThatFailsBeforeItsFirstMessage() {
		this.shop.serverStream((request, observer) -> Engines.fail(observer, Status.Code.UNAVAILABLE));
		Calls.run(channel(), Shop.SERVER_STREAM, patient());
		assertThat(this.engines.failed()).isOne();
		assertThat(this.engines.succeeded()).isZero();
	}

	@Test
	void recordsStreamWithoutMessages() {
		this.shop.serverStream((request, observer) -> observer.onCompleted());
		Calls.run(channel(), Shop.SERVER_STREAM, patient());
		assertThat(this.engines.succeeded()).isOne();
	}

	@Test
	void unaryMessageIsNoSuccessYet() {
		this.shop.unary((request, observer) -> {
			observer.onNext(request);
			Engines.fail(observer, Status.Code.UNAVAILABLE);
		});
		Calls.run(channel(), Shop.UNARY, patient());
		assertThat(this.engines.failed()).isOne();
		assertThat(this.engines.succeeded()).isZero();
	}

	@Test
	void givesEachMethodItsOwnBreakerOfConfig() {
		ManagedChannel channel = channel(Policies.client()
			.policy("shop", "test.v1.Shop")
			.with(GateSettings.BREAKER_CONFIG, "careful")
			.end()
			.define(), Mode.ENFORCE);
		Calls.run(channel, Shop.UNARY, patient());
		Calls.run(channel, Shop.BIDI, patient());
		assertThat(this.engines.breakers.getAllCircuitBreakers()).extracting("name")
			.containsExactlyInAnyOrder(Engines.NAME, "grpc.shop.test.v1.Shop.Unary", "grpc.shop.test.v1.Shop.Bidi");
		assertThat(this.engines.breakers.find("grpc.shop.test.v1.Shop.Unary")).hasValueSatisfying((breaker) -> {
			assertThat(breaker.getMetrics().getNumberOfSuccessfulCalls()).isOne();
			assertThat(breaker.getCircuitBreakerConfig().getMinimumNumberOfCalls()).isEqualTo(2);
		});
	}

	@Test
	void methodThatNoPolicyNamesHasNoBreaker() {
		ManagedChannel channel = channel(Policies.client()
			.policy("shop", "test.v1.Shop/Bidi")
			.with(GateSettings.BREAKER_INSTANCE, Engines.NAME)
			.end()
			.define(), Mode.ENFORCE);
		this.engines.breaker.transitionToOpenState();
		assertThat(Calls.run(channel, Shop.UNARY, patient()).code()).isEqualTo(Status.Code.OK);
		assertThat(Calls.run(channel, Shop.BIDI, patient()).code()).isEqualTo(Status.Code.UNAVAILABLE);
	}

	@Test
	void tellsListenerEvenIfPredicateOfApplicationThrows() {
		this.engines.breakers.circuitBreaker("broken", Engines.config().recordException((thrown) -> {
			throw new IllegalStateException("predicate");
		}).build());
		ManagedChannel channel = channel(Policies.client()
			.policy("shop", "test.v1.Shop")
			.with(GateSettings.BREAKER_INSTANCE, "broken")
			.end()
			.define(), Mode.ENFORCE);
		this.shop.unary((request, observer) -> Engines.fail(observer, Status.Code.UNAVAILABLE));
		assertThat(Calls.run(channel, Shop.UNARY, patient()).code()).isEqualTo(Status.Code.UNAVAILABLE);
	}

	@Test
	void applicationMayIgnoreFailures() {
		this.engines.breakers.circuitBreaker("lenient",
				Engines.config()
					.ignoreException((thrown) -> thrown instanceof StatusRuntimeException failure
							&& "planned".equals(failure.getStatus().getDescription()))
					.build());
		ManagedChannel channel = channel(Policies.client()
			.policy("shop", "test.v1.Shop")
			.with(GateSettings.BREAKER_INSTANCE, "lenient")
			.end()
			.define(), Mode.ENFORCE);
		this.shop.unary((request, observer) -> observer
			.onError(Status.UNAVAILABLE.withDescription("planned").asRuntimeException()));
		Calls.run(channel, Shop.UNARY, patient());
		assertThat(this.engines.breakers.circuitBreaker("lenient").getMetrics().getNumberOfBufferedCalls()).isZero();
	}

	private static Calls.Ended inherited(long millis, Callable<Calls.Ended> call) throws Exception {
		ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
		try (Context.CancellableContext served = Context.current()
			.withDeadlineAfter(millis, TimeUnit.MILLISECONDS, timer)) {
			return served.call(call);
		}
		finally {
			timer.shutdownNow();
		}
	}

	private Status cancelledWith(Throwable cause) throws Exception {
		this.shop.unary((request, observer) -> {
		});
		return cancelledWith(channel(), cause, 1);
	}

	private Status cancelledWith(Channel channel, Throwable cause, int arrivals) throws Exception {
		ClientCall<String, String> call = channel.newCall(Shop.UNARY, patient());
		CompletableFuture<Status> ended = start(call);
		await().until(() -> this.arrived.get() == arrivals);
		call.cancel("test", cause);
		return ended.get(20, TimeUnit.SECONDS);
	}

	private static CompletableFuture<Status> start(ClientCall<String, String> call) {
		CompletableFuture<Status> ended = new CompletableFuture<>();
		call.start(new Ending(ended), new Metadata());
		call.request(2);
		call.sendMessage("x");
		call.halfClose();
		return ended;
	}

	private void assertNothingCounted() {
		assertThat(this.engines.breaker.getMetrics().getNumberOfBufferedCalls()).isZero();
	}

	private static final class Ending extends ClientCall.Listener<String> {

		private final CompletableFuture<Status> ended;

		Ending(CompletableFuture<Status> ended) {
			this.ended = ended;
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			this.ended.complete(status);
		}

	}

	private record Arrivals(AtomicInteger count) implements ServerInterceptor {

		@Override
		public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
				ServerCallHandler<ReqT, RespT> next) {
			this.count.incrementAndGet();
			return next.startCall(call, headers);
		}

	}

}
