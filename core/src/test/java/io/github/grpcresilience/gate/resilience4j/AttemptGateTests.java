package io.github.grpcresilience.gate.resilience4j;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.Stubs;
import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.time.UntimedScheduler;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What stands between attempts and the network is asked before each of them.
 */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class AttemptGateTests {

	private final Loopback loopback = new Loopback();

	private final Engines engines = new Engines();

	private final AtomicInteger arrived = new AtomicInteger();

	private GrpcResilience resilience;

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private static Policies.Layer policy() {
		return policyOf("test.v1.Shop");
	}

	private static Policies.Layer policyOf(String target) {
		return Policies.client().policy("shop", target).with(AttemptSettings.IDEMPOTENT, true);
	}

	private ManagedChannel channel(Policies.Layer policy, Answer answer) {
		return channel(policy, AttemptSettings.BUDGET_RATIO, 0.1, answer);
	}

	private <T> ManagedChannel channel(Policies.Layer policy, SettingKey<T> key, T value, Answer answer) {
		this.resilience = this.loopback.resilience(this.engines.client(policy.end().section(key, value).define()));
		Shop shop = new Shop()
			.unary((request, observer) -> answer.accept(this.arrived.incrementAndGet(), request, observer))
			.serverStream((request, observer) -> answer.accept(this.arrived.incrementAndGet(), request, observer));
		Server server = this.loopback.servePlain(shop, (builder) -> {
		});
		return Calls.warm(this.loopback.channel(server, this.resilience, "shop"));
	}

	static MethodDescriptor<?, ?>[] repeatable() {
		return new MethodDescriptor<?, ?>[] { Shop.UNARY, Shop.SERVER_STREAM };
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void breakerSeesEachAttempt(MethodDescriptor<String, String> method) {
		ManagedChannel channel = channel(policy().with(GateSettings.BREAKER_INSTANCE, Engines.NAME)
			.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 2)
			.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(7)), (number, request, observer) -> {
				if (number == 1) {
					Engines.fail(observer, Status.Code.UNAVAILABLE);
				}
				else {
					Shop.echo(request, observer);
				}
			});
		// Else one failure of two calls would open it.
		Calls.warm(Calls.warm(channel));
		int before = this.engines.succeeded();
		assertThat(Calls.run(channel, method, Loopback.within(10_000)).code()).isEqualTo(Status.Code.OK);
		assertThat(this.engines.failed()).isOne();
		assertThat(this.engines.succeeded()).isEqualTo(before + 1);
	}

	@Test
	void openBreakerEndsTheCallAtOnce() {
		ManagedChannel channel = channel(
				policy().with(GateSettings.BREAKER_INSTANCE, Engines.NAME).with(AttemptSettings.RETRY_MAX_ATTEMPTS, 3),
				(number, request, observer) -> Shop.echo(request, observer));
		this.engines.breaker.transitionToOpenState();
		Calls.Ended ended = Calls.run(channel, Shop.UNARY, Loopback.within(5_000));
		assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(Engines.errorInfo(ended).getReason()).isEqualTo(Reason.CIRCUIT_OPEN.name());
		assertThat(this.arrived).hasValue(0);
		assertThat(this.resilience.inspection().calledMethods())
			.anySatisfy((method) -> assertThat(method.attemptCounts().ends()).containsOnlyKeys(AttemptEnd.CIRCUIT));
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void timeoutOfAnAttemptCountsAlsoWithinAnInheritedBudget(MethodDescriptor<String, String> method) throws Exception {
		ManagedChannel channel = channel(
				policyOf(method.getFullMethodName()).with(GateSettings.BREAKER_INSTANCE, Engines.NAME)
					.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 1)
					.with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(70)),
				(number, request, observer) -> {
				});
		try (Context.CancellableContext context = Context.ROOT.withDeadlineAfter(1_900, TimeUnit.MILLISECONDS,
				UntimedScheduler.INSTANCE)) {
			Calls.Ended ended = context.call(() -> Calls.run(channel, method, CallOptions.DEFAULT));
			assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		}
		await().untilAsserted(() -> assertThat(this.engines.failed()).isOne());
	}

	/** A blocking stub stops running tasks of its attempts once it has its answer. */
	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.INCLUDE, names = { "ASYNC_UNARY", "ASYNC_SERVER_STREAM", "FUTURE_UNARY",
			"BLOCKING_UNARY", "BLOCKING_SERVER_STREAM", "BLOCKING_V2_UNARY", "BLOCKING_V2_SERVER_STREAM" })
	void losersGiveTheirPlacesBack(Stubs stub) throws Exception {
		Bulkhead wide = this.engines.bulkheads.bulkhead("wide",
				BulkheadConfig.custom().maxConcurrentCalls(700).build());
		ManagedChannel channel = channel(
				policy().with(AttemptSettings.HEDGE_DELAY, HedgeDelay.of(Duration.ofMillis(3)))
					.with(GateSettings.BULKHEAD, "wide"),
				AttemptSettings.BUDGET_MIN_PER_SECOND, 1_000.0, (number, request, observer) -> {
					if (number % 2 == 0) {
						Shop.echo(request, observer);
					}
				});
		for (int i = 0; i < 100; i++) {
			assertThat(stub.call(channel, Loopback.within(10_000), "seven")).isEqualTo("seven");
		}
		assertThat(this.arrived).hasValueGreaterThanOrEqualTo(100);
		await().untilAsserted(() -> assertThat(wide.getMetrics().getAvailableConcurrentCalls()).isEqualTo(700));
	}

	@FunctionalInterface
	private interface Answer {

		void accept(int number, String request, StreamObserver<String> observer);

	}

}
