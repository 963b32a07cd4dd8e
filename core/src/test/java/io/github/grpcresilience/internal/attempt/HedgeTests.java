package io.github.grpcresilience.internal.attempt;

import java.time.Duration;
import java.util.Set;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.Stubs;
import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.policy.HedgeDelay;

import static io.github.grpcresilience.internal.attempt.ScriptedServer.fail;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.headers;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.ok;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.pushBack;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.silence;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

// A stub that is told nothing waits for ever, also when it is interrupted.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class HedgeTests {

	private static final Metadata.Key<String> PUSH_BACK = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private final Loopback loopback = new Loopback();

	private GrpcResilience resilience;

	private ManagedChannel channel;

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private static Policies.Layer hedges(long delayMillis) {
		return Policies.client()
			.policy("shop", "test.v1.Shop")
			.with(AttemptSettings.IDEMPOTENT, true)
			.with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 3)
			.with(AttemptSettings.HEDGE_DELAY, HedgeDelay.of(Duration.ofMillis(delayMillis)));
	}

	private ScriptedServer connect(PolicyDefinition policies, ScriptedServer.Step... steps) {
		ScriptedServer script = new ScriptedServer(steps);
		this.resilience = this.loopback.resilience(GrpcResilience.builder().policies(policies));
		Server server = this.loopback.servePlain(script::service, (builder) -> {
		});
		this.channel = this.loopback.channel(server, this.resilience, "shop");
		return script;
	}

	private Ended call(MethodDescriptor<String, String> method) {
		return Calls.run(this.channel, method, Loopback.within(10_000));
	}

	private CalledMethod method() {
		return this.resilience.inspection().calledMethods().get(0);
	}

	static MethodDescriptor<?, ?>[] repeatable() {
		return new MethodDescriptor<?, ?>[] { Shop.UNARY, Shop.SERVER_STREAM };
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.INCLUDE, names = { "ASYNC_UNARY", "ASYNC_SERVER_STREAM", "FUTURE_UNARY",
			"BLOCKING_UNARY", "BLOCKING_SERVER_STREAM", "BLOCKING_V2_UNARY", "BLOCKING_V2_SERVER_STREAM" })
	void anotherAttemptAnswersWhereTheFirstIsSilent(Stubs stub) throws Exception {
		ScriptedServer server = connect(hedges(17).end().define(), silence(), ok());
		assertThat(stub.call(this.channel, Loopback.within(10_000), "seven")).isEqualTo("seven");
		assertThat(server.previousAttempts()).contains("null", "1");
		await().untilAsserted(() -> assertThat(server.seen().get(0).isCancelled()).isTrue());
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
		await().until(() -> method().counts().inFlight() == 0);
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void fastAnswersAreNotHedged(MethodDescriptor<String, String> method) {
		ScriptedServer server = connect(hedges(5_000).end().define(), ok());
		assertThat(call(method).code()).isEqualTo(Status.Code.OK);
		assertThat(server.seen()).hasSize(1);
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
	}

	@Test
	void headersCommitAStreamAndCancelTheOthers() {
		ScriptedServer server = connect(hedges(17).end().define(), silence(),
				headers().then(fail(Status.Code.UNAVAILABLE)));
		Ended ended = call(Shop.SERVER_STREAM);
		assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(server.seen()).hasSizeBetween(2, 3);
		await().untilAsserted(() -> assertThat(server.seen().get(0).isCancelled()).isTrue());
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void nonFatalFailureBringsTheNextAttemptAtOnce(MethodDescriptor<String, String> method) {
		ScriptedServer server = connect(hedges(60_000).end().define(), fail(Status.Code.UNAVAILABLE), ok());
		assertThat(Calls.run(this.channel, method, Loopback.within(15_000)).code()).isEqualTo(Status.Code.OK);
		assertThat(server.seen()).hasSize(2);
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void fatalFailureEndsTheCall(MethodDescriptor<String, String> method) {
		ScriptedServer server = connect(hedges(17).end().define(), silence(), fail(Status.Code.INTERNAL));
		Ended ended = call(method);
		assertThat(ended.code()).isEqualTo(Status.Code.INTERNAL);
		await().untilAsserted(() -> assertThat(server.seen().get(0).isCancelled()).isTrue());
	}

	@Test
	void lastFailureIsToldWhenAllHaveFailed() {
		ScriptedServer server = connect(hedges(60_000).end().define(), fail(Status.Code.UNAVAILABLE));
		Ended ended = Calls.run(this.channel, Shop.UNARY, Loopback.within(15_000));
		assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(ended.trailers().get(ScriptedServer.ATTEMPT)).isEqualTo("2");
		assertThat(ended.trailers().get(PUSH_BACK)).isEqualTo("-1");
		assertThat(server.seen()).hasSize(3);
	}

	@Test
	void pushBackStopsHedges() {
		ScriptedServer server = connect(hedges(60_000).end().define(), pushBack(Status.Code.UNAVAILABLE, "-1"), ok());
		assertThat(Calls.run(this.channel, Shop.UNARY, Loopback.within(15_000)).code())
			.isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(server.seen()).hasSize(1);
	}

	@Test
	void budgetStopsHedgesAndTheFirstAttemptGoesOn() {
		ScriptedServer server = connect(hedges(7).end().section(AttemptSettings.BUDGET_MIN_PER_SECOND, 0.0).define(),
				silence());
		Ended ended = Calls.run(this.channel, Shop.UNARY, Loopback.within(400));
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(server.seen()).hasSize(1);
		assertThat(method().attemptCounts().ends()).containsOnlyKeys(AttemptEnd.BUDGET);
	}

	@Test
	void deadlineEndsAllAttempts() {
		ScriptedServer server = connect(
				hedges(7).with(AttemptSettings.NON_FATAL_STATUS_CODES, Set.of(Status.Code.ABORTED)).end().define(),
				silence());
		Ended ended = Calls.run(this.channel, Shop.UNARY, Loopback.within(600));
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(server.seen()).hasSize(3);
		await().untilAsserted(
				() -> assertThat(server.seen()).extracting(ScriptedServer.Seen::isCancelled).containsOnly(true));
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
	}

	@Test
	void delayOfZeroMakesAllAttemptsAtOnce() {
		ScriptedServer server = connect(hedges(0).end().define(), silence(), silence(), ok());
		assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.OK);
		assertThat(server.seen()).hasSize(3);
	}

	@Test
	void liveDelayHedgesOnlyOnceItKnowsEnoughCalls() {
		ScriptedServer server = connect(
				hedges(0).with(AttemptSettings.HEDGE_DELAY, HedgeDelay.percentile(95)).end().define(), ok());
		for (int i = 0; i < 300; i++) {
			assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.OK);
		}
		await().untilAsserted(() -> {
			ScriptedServer.Step slow = silence();
			server.play(slow, ok());
			assertThat(Calls.run(this.channel, Shop.UNARY, Loopback.within(300)).code()).isEqualTo(Status.Code.OK);
			// On a busy machine a server may begin with the hedge, which is slow then.
			assertThat(method().attemptCounts().rescuedCalls()).isPositive();
		});
	}

}
