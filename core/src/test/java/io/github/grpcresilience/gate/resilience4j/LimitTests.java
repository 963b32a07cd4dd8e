package io.github.grpcresilience.gate.resilience4j;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * Bulkheads and rate limiters of calls that are made, alone and together.
 */
class LimitTests {

	private final Loopback loopback = new Loopback();

	private final Engines engines = new Engines();

	private final CompletableFuture<StreamObserver<String>> handler = new CompletableFuture<>();

	private final Shop shop = new Shop();

	private Server server;

	private GrpcResilience resilience;

	@BeforeEach
	void serve() {
		this.server = this.loopback.servePlain(this.shop, (builder) -> {
		});
	}

	@AfterEach
	void close() {
		this.loopback.close();
	}

	@SafeVarargs
	private static PolicyDefinition guardedBy(SettingKey<String>... keys) {
		Policies.Layer policy = Policies.client().policy("shop", "test.v1.Shop");
		for (SettingKey<String> key : keys) {
			policy.with(key, Engines.NAME);
		}
		return policy.end().define();
	}

	private ManagedChannel channel(PolicyDefinition policies, Mode mode) {
		this.resilience = this.loopback.resilience(this.engines.client(policies).mode(mode));
		return this.loopback.channel(this.server, this.resilience, "shop");
	}

	@SafeVarargs
	private ManagedChannel channel(SettingKey<String>... keys) {
		return channel(guardedBy(keys), Mode.ENFORCE);
	}

	private static CallOptions patient() {
		return Loopback.within(20_000);
	}

	private int free() {
		return this.engines.bulkhead.getMetrics().getAvailableConcurrentCalls();
	}

	private void hold() {
		this.shop.unary((request, observer) -> this.handler.complete(observer));
	}

	@Test
	void refusesCallsBeyondPlacesOfBulkhead() throws Exception {
		hold();
		ManagedChannel channel = channel(GateSettings.BULKHEAD);
		CompletableFuture<Calls.Ended> first = Calls.start(channel, Shop.UNARY, patient());
		StreamObserver<String> answer = this.handler.get(20, TimeUnit.SECONDS);
		Calls.Ended second = Calls.run(channel, Shop.UNARY, patient());
		assertThat(second.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(Engines.errorInfo(second).getReason()).isEqualTo("CONCURRENCY_LIMIT");
		assertThat(Engines.retryInfo(second).getRetryDelay().getSeconds()).isOne();
		Shop.echo("a", answer);
		assertThat(first.get(20, TimeUnit.SECONDS).code()).isEqualTo(Status.Code.OK);
		assertThat(free()).isOne();
	}

	@Test
	void streamHoldsItsPlaceUntilItIsClosed() throws Exception {
		this.shop.serverStream((request, observer) -> {
			observer.onNext("first");
			this.handler.complete(observer);
		});
		CompletableFuture<Calls.Ended> ended = Calls.start(channel(GateSettings.BULKHEAD), Shop.SERVER_STREAM,
				patient());
		StreamObserver<String> answer = this.handler.get(20, TimeUnit.SECONDS);
		assertThat(free()).isZero();
		answer.onCompleted();
		ended.get(20, TimeUnit.SECONDS);
		assertThat(free()).isOne();
	}

	@Test
	void interruptedThreadFindsFreePlace() {
		ManagedChannel channel = Calls.warm(channel(GateSettings.BULKHEAD));
		CompletableFuture<Calls.Ended> ended;
		Thread.currentThread().interrupt();
		try {
			ended = Calls.start(channel, Shop.UNARY, patient());
		}
		finally {
			assertThat(Thread.interrupted()).as("still interrupted").isTrue();
		}
		assertThat(ended.orTimeout(20, TimeUnit.SECONDS).join().code()).isEqualTo(Status.Code.OK);
	}

	@Test
	void givesPlaceBackIfStartFails() {
		ManagedChannel channel = channel(GateSettings.BULKHEAD);
		ClientCall<String, String> call = channel.newCall(Shop.UNARY, patient());
		call.cancel("before start", null);
		try {
			call.start(new ClientCall.Listener<>() {
			}, new Metadata());
		}
		catch (IllegalStateException ex) {
			assertThat(ex).hasMessageContaining("cancelled");
		}
		await().untilAsserted(() -> assertThat(free()).isOne());
	}

	@Test
	void givesPlaceBackIfAnInterceptorFails() {
		ManagedChannel channel = this.loopback.plainChannel(this.server);
		this.resilience = this.loopback.resilience(this.engines.client(guardedBy(GateSettings.BULKHEAD)));
		ClientInterceptor broken = new BrokenStart();
		Channel guarded = ClientInterceptors.intercept(channel, broken, this.resilience.client("shop"));
		assertThatThrownBy(() -> Calls.start(guarded, Shop.UNARY, patient())).hasMessage("broken start");
		assertThat(free()).isOne();
	}

	@Test
	void givesPlaceBackIfListenerThrows() {
		ManagedChannel channel = channel(GateSettings.BULKHEAD);
		CompletableFuture<Status> closed = new CompletableFuture<>();
		ClientCall<String, String> call = channel.newCall(Shop.UNARY, patient());
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onMessage(String message) {
				throw new IllegalStateException("listener");
			}

			@Override
			public void onClose(Status status, Metadata trailers) {
				closed.complete(status);
				throw new IllegalStateException("listener");
			}

		}, new Metadata());
		call.request(2);
		call.sendMessage("x");
		call.halfClose();
		assertThat(closed.orTimeout(20, TimeUnit.SECONDS).join().getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(free()).isOne();
	}

	@Test
	void refusesCallsBeyondRateWithoutWaiting() {
		ManagedChannel channel = channel(GateSettings.RATE_LIMITER);
		assertThat(Calls.run(channel, Shop.UNARY, patient()).code()).isEqualTo(Status.Code.OK);
		assertThat(Calls.run(channel, Shop.UNARY, patient()).code()).isEqualTo(Status.Code.OK);
		// The limiter itself would make it wait for an hour.
		Calls.Ended third = Calls.run(channel, Shop.UNARY, patient());
		assertThat(third.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(Engines.errorInfo(third).getReason()).isEqualTo("RATE_LIMIT");
		assertThat(Engines.retryInfo(third).getRetryDelay().getSeconds()).isEqualTo(3600);
		assertThat(this.engines.limiter().getMetrics().getAvailablePermissions()).as("of periods to come").isZero();
	}

	@Test
	void tellsLimiterThatNeverWaitsOfRefusals() {
		RateLimiter limiter = this.engines.limiters.rateLimiter("strict",
				RateLimiterConfig.custom()
					.limitForPeriod(1)
					.limitRefreshPeriod(Duration.ofHours(1))
					.timeoutDuration(Duration.ZERO)
					.build());
		CompletableFuture<String> failure = new CompletableFuture<>();
		limiter.getEventPublisher().onFailure((event) -> failure.complete(event.getRateLimiterName()));
		ManagedChannel channel = channel(Policies.client()
			.policy("shop", "test.v1.Shop")
			.with(GateSettings.RATE_LIMITER, "strict")
			.end()
			.define(), Mode.ENFORCE);
		Calls.run(channel, Shop.UNARY, patient());
		assertThat(Calls.run(channel, Shop.UNARY, patient()).code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(failure).isCompletedWithValue("strict");
	}

	@Test
	void laterRefusalGivesBackWhatEarlierGatesGave() throws Exception {
		hold();
		ManagedChannel channel = channel(GateSettings.BREAKER_INSTANCE, GateSettings.BULKHEAD,
				GateSettings.RATE_LIMITER);
		CompletableFuture<Calls.Ended> first = Calls.start(channel, Shop.UNARY, patient());
		this.handler.get(20, TimeUnit.SECONDS);
		this.engines.breaker.transitionToOpenState();
		this.engines.breaker.transitionToHalfOpenState();
		for (int i = 0; i < 5; i++) {
			assertThat(Engines.errorInfo(Calls.run(channel, Shop.UNARY, patient())).getReason())
				.isEqualTo("CONCURRENCY_LIMIT");
		}
		assertThat(first).isNotDone();
		assertThat(this.engines.breaker.getState()).isEqualTo(State.HALF_OPEN);
		assertThat(this.engines.limiter().getMetrics().getAvailablePermissions()).isOne();
	}

	@Test
	void refusalOfLimiterFreesPlaceOfBulkhead() {
		ManagedChannel channel = channel(GateSettings.BULKHEAD, GateSettings.RATE_LIMITER);
		for (int i = 0; i < 5; i++) {
			Calls.run(channel, Shop.UNARY, patient());
		}
		assertThat(free()).isOne();
	}

	@Test
	void openCircuitIsToldFirst() {
		ManagedChannel channel = channel(GateSettings.BREAKER_INSTANCE, GateSettings.RATE_LIMITER);
		this.engines.breaker.transitionToOpenState();
		for (int i = 0; i < 5; i++) {
			assertThat(Engines.errorInfo(Calls.run(channel, Shop.UNARY, patient())).getReason())
				.isEqualTo("CIRCUIT_OPEN");
		}
		assertThat(this.engines.limiter().getMetrics().getAvailablePermissions()).isEqualTo(2);
	}

	@Test
	void observesLimitsWithoutRefusing() {
		ManagedChannel channel = channel(guardedBy(GateSettings.RATE_LIMITER), Mode.OBSERVE);
		for (int i = 0; i < 5; i++) {
			assertThat(Calls.run(channel, Shop.UNARY, patient()).code()).isEqualTo(Status.Code.OK);
		}
		assertThat(this.resilience.inspection().calledMethods()).singleElement()
			.satisfies((method) -> assertThat(method.counts().byReason()).containsEntry(Reason.RATE_LIMIT, 3L));
	}

	@Test
	void hedgesAreRefusedBeforeCallsAre() {
		this.engines.bulkheads.bulkhead("none", BulkheadConfig.custom().maxConcurrentCalls(0).build());
		assertThat(new BreakerGate(this.engines.breaker).refusesNow()).isFalse();
		this.engines.breaker.transitionToOpenState();
		assertThat(new BreakerGate(this.engines.breaker).refusesNow()).isTrue();
		this.engines.breaker.transitionToHalfOpenState();
		assertThat(new BreakerGate(this.engines.breaker).refusesNow()).as("while probes are few").isTrue();
		assertThat(new BulkheadGate(this.engines.bulkhead).refusesNow()).isFalse();
		assertThat(new BulkheadGate(this.engines.bulkheads.bulkhead("none")).refusesNow()).isTrue();
		assertThat(new RateLimiterGate(this.engines.limiter()).refusesNow()).isFalse();
		this.engines.limiter().drainPermissions();
		assertThat(new RateLimiterGate(this.engines.limiter()).refusesNow()).isTrue();
	}

	private static final class BrokenStart implements ClientInterceptor {

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options, Channel next) {
			return new SimpleForwardingClientCall<>(next.newCall(method, options)) {

				@Override
				public void start(Listener<RespT> listener, Metadata headers) {
					throw new IllegalStateException("broken start");
				}

			};
		}

	}

}
