package io.github.grpcresilience.internal.attempt;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.Stubs;
import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.event.ResilienceEvent;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.policy.Mode;

import static io.github.grpcresilience.internal.attempt.ScriptedServer.fail;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.headers;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.message;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.ok;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.pushBack;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.retryInfo;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.silence;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

// A stub that is told nothing waits for ever, also when it is interrupted.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class RetryTests {

	private static final Metadata.Key<String> PUSH_BACK = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private final Loopback loopback = new Loopback();

	private GrpcResilience resilience;

	private ManagedChannel channel;

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private static Policies.Layer retries() {
		return retriesOfWhatIsIdempotent().with(AttemptSettings.IDEMPOTENT, true);
	}

	private static Policies.Layer retriesOfWhatIsIdempotent() {
		return retriesOfWhatIsIdempotent("test.v1.Shop");
	}

	private static Policies.Layer retriesOf(MethodDescriptor<?, ?> method) {
		return retriesOfWhatIsIdempotent(method.getFullMethodName()).with(AttemptSettings.IDEMPOTENT, true);
	}

	private static Policies.Layer retriesOfWhatIsIdempotent(String target) {
		return Policies.client()
			.policy("shop", target)
			.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 3)
			.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(7));
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

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.INCLUDE, names = { "ASYNC_UNARY", "ASYNC_SERVER_STREAM", "FUTURE_UNARY",
			"BLOCKING_UNARY", "BLOCKING_SERVER_STREAM", "BLOCKING_V2_UNARY", "BLOCKING_V2_SERVER_STREAM" })
	void everyStubOfOneRequestSurvivesTwoFailures(Stubs stub) throws Exception {
		ScriptedServer server = connect(retries().end().define(), fail(Status.Code.UNAVAILABLE),
				fail(Status.Code.UNAVAILABLE), ok());
		assertThat(stub.call(this.channel, Loopback.within(10_000), "seven")).isEqualTo("seven");
		assertThat(server.previousAttempts()).containsExactly("null", "1", "2");
		assertThat(server.seen()).extracting(ScriptedServer.Seen::request).containsOnly("seven");
		assertThat(method().attemptCounts().furtherAttempts()).isEqualTo(2);
		assertThat(method().attemptCounts().rescuedCalls()).isOne();
		// A stub of a stream returns with the first message.
		await().untilAsserted(() -> assertThat(method().counts().byCode()).containsOnlyKeys(Status.Code.OK));
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.INCLUDE,
			names = { "ASYNC_CLIENT_STREAM", "ASYNC_BIDI", "BLOCKING_V2_CLIENT_STREAM", "BLOCKING_V2_BIDI" })
	void callsOfManyRequestsAreMadeOnce(Stubs stub) {
		ScriptedServer server = connect(retries().end().define(), fail(Status.Code.UNAVAILABLE), ok());
		assertThatThrownBy(() -> stub.call(this.channel, Loopback.within(10_000), "seven"))
			.hasMessageContaining("UNAVAILABLE");
		assertThat(server.seen()).hasSize(1);
	}

	static MethodDescriptor<?, ?>[] repeatable() {
		return new MethodDescriptor<?, ?>[] { Shop.UNARY, Shop.SERVER_STREAM };
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void lastFailureIsToldWithItsTrailers(MethodDescriptor<String, String> method) {
		ScriptedServer server = connect(retries().end().define(), fail(Status.Code.UNAVAILABLE));
		Ended ended = call(method);
		assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(ended.status().getDescription()).isEqualTo("attempt 2");
		assertThat(ended.trailers().get(ScriptedServer.ATTEMPT)).isEqualTo("2");
		assertThat(ended.trailers().get(PUSH_BACK)).isEqualTo("-1");
		assertThat(server.seen()).hasSize(3);
		assertThat(method().attemptCounts().ends()).containsExactly(Map.entry(AttemptEnd.MAX_ATTEMPTS, 1L));
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void otherCodesAreNotRetried(MethodDescriptor<String, String> method) {
		ScriptedServer server = connect(retries().end().define(), fail(Status.Code.INTERNAL));
		Ended ended = call(method);
		assertThat(ended.code()).isEqualTo(Status.Code.INTERNAL);
		assertThat(ended.trailers().containsKey(PUSH_BACK)).isFalse();
		assertThat(server.seen()).hasSize(1);
	}

	@Test
	void unaryFailureAfterHeadersIsRetried() {
		ScriptedServer server = connect(retries().end().define(), headers().then(fail(Status.Code.UNAVAILABLE)),
				message().then(fail(Status.Code.UNAVAILABLE)), ok());
		Ended ended = call(Shop.UNARY);
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		assertThat(ended.messages()).containsExactly("x");
		assertThat(server.seen()).hasSize(3);
	}

	@Test
	void streamIsCommittedByItsHeaders() {
		ScriptedServer server = connect(retries().end().define(), headers().then(fail(Status.Code.UNAVAILABLE)), ok());
		assertThat(call(Shop.SERVER_STREAM).code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(server.seen()).hasSize(1);
	}

	@ParameterizedTest
	@CsvSource({ "-1, 1", "garbage, 1", "99999999999, 1", "999999999999999999999999, 1", "'', 1", "300, 2", "0, 2" })
	void pushBackIsRespected(String value, int attempts) {
		ScriptedServer server = connect(retries().end().define(), pushBack(Status.Code.UNAVAILABLE, value), ok());
		Ended ended = call(Shop.UNARY);
		assertThat(server.seen()).hasSize(attempts);
		assertThat(ended.code()).isEqualTo((attempts == 1) ? Status.Code.UNAVAILABLE : Status.Code.OK);
		if (attempts == 1) {
			assertThat(ended.trailers().get(PUSH_BACK)).isEqualTo("-1");
		}
		else {
			long apart = server.seen().get(1).atNanos() - server.seen().get(0).atNanos();
			assertThat(TimeUnit.NANOSECONDS.toMillis(apart)).isGreaterThanOrEqualTo(Long.parseLong(value));
		}
	}

	@Test
	void pushBackDoesNotMakeAFailureRetryable() {
		ScriptedServer server = connect(retries().end().define(), pushBack(Status.Code.INTERNAL, "5"), ok());
		assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.INTERNAL);
		assertThat(server.seen()).hasSize(1);
	}

	@Test
	void retryInfoIsTheLeastWait() {
		ScriptedServer server = connect(retries().end().define(), retryInfo(Status.Code.UNAVAILABLE, 107), ok());
		assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.OK);
		long apart = server.seen().get(1).atNanos() - server.seen().get(0).atNanos();
		assertThat(TimeUnit.NANOSECONDS.toMillis(apart)).isGreaterThanOrEqualTo(107);
	}

	@Test
	void waitThatDoesNotFitEndsTheCallAtOnce() {
		ScriptedServer server = connect(retries().end().define(), retryInfo(Status.Code.UNAVAILABLE, 60_000), ok());
		Ended ended = Calls.run(this.channel, Shop.UNARY, Loopback.within(40_000));
		assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(server.seen()).hasSize(1);
		assertThat(method().attemptCounts().ends()).containsOnlyKeys(AttemptEnd.DEADLINE);
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void attemptTimeoutIsRetried(MethodDescriptor<String, String> method) {
		ScriptedServer server = connect(
				retriesOf(method).with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(150)).end().define(), ok(),
				silence(), ok());
		Calls.warm(this.channel);
		assertThat(call(method).code()).isEqualTo(Status.Code.OK);
		assertThat(server.previousAttempts()).containsExactly("null", "null", "1");
		await().untilAsserted(() -> assertThat(server.seen().get(1).isCancelled()).isTrue());
	}

	@ParameterizedTest
	@MethodSource("repeatable")
	void timeoutOfTheLastAttemptSaysSo(MethodDescriptor<String, String> method) {
		ScriptedServer server = connect(
				retriesOf(method).with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(70)).end().define(),
				silence());
		Ended ended = call(method);
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(ended.trailers().get(PUSH_BACK)).isEqualTo("-1");
		assertThat(ended.errorInfo().getReason()).isEqualTo("DEADLINE_EXCEEDED");
		assertThat(ended.errorInfo().getMetadataMap()).containsEntry("attempt_timeout_ms", "70")
			.containsEntry("side", "client");
		assertThat(server.seen()).hasSizeLessThanOrEqualTo(3);
	}

	@Test
	void deadlineOfTheCallIsNotRetried() {
		ScriptedServer server = connect(retries()
			.with(AttemptSettings.RETRYABLE_STATUS_CODES,
					Set.of(Status.Code.DEADLINE_EXCEEDED, Status.Code.UNAVAILABLE))
			.end()
			.define(), silence());
		Ended ended = Calls.run(this.channel, Shop.UNARY, Loopback.within(900));
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(server.seen()).hasSize(1);
	}

	@Test
	void cancelEndsTheBackoff() {
		ScriptedServer server = connect(retries().with(AttemptSettings.INITIAL_BACKOFF, Duration.ofSeconds(8))
			.with(AttemptSettings.MAX_BACKOFF, Duration.ofSeconds(8))
			.with(AttemptSettings.JITTER, 0.0)
			.end()
			.define(), fail(Status.Code.UNAVAILABLE), ok());
		CompletableFuture<Status> ended = new CompletableFuture<>();
		ClientCall<String, String> call = start(Loopback.within(30_000), ended);
		await().until(() -> server.seen().size() == 1 && this.resilience.inspection().pendingTimeouts() > 0);
		call.cancel("enough", null);
		assertThat(ended.orTimeout(5, TimeUnit.SECONDS).join())
			.satisfies((status) -> assertThat(status.getCode()).isEqualTo(Status.Code.CANCELLED))
			.satisfies((status) -> assertThat(status.getDescription()).isEqualTo("enough"));
		assertThat(server.seen()).hasSize(1);
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
	}

	@Test
	void cancelledContextEndsTheBackoff() {
		ScriptedServer server = connect(retries().with(AttemptSettings.INITIAL_BACKOFF, Duration.ofSeconds(8))
			.with(AttemptSettings.MAX_BACKOFF, Duration.ofSeconds(8))
			.with(AttemptSettings.JITTER, 0.0)
			.end()
			.define(), fail(Status.Code.UNAVAILABLE), ok());
		CompletableFuture<Status> ended = new CompletableFuture<>();
		Context.CancellableContext context = Context.current().withCancellation();
		context.run(() -> start(Loopback.within(30_000), ended));
		await().until(() -> server.seen().size() == 1 && this.resilience.inspection().pendingTimeouts() > 0);
		context.cancel(new IllegalStateException("left"));
		assertThat(ended.orTimeout(5, TimeUnit.SECONDS).join().getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(server.seen()).hasSize(1);
	}

	private ClientCall<String, String> start(CallOptions options, CompletableFuture<Status> ended) {
		ClientCall<String, String> call = this.channel.newCall(Shop.UNARY, options);
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onClose(Status status, Metadata trailers) {
				ended.complete(status);
			}

		}, new Metadata());
		call.request(2);
		call.sendMessage("x");
		call.halfClose();
		return call;
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void shutdownOfTheChannelEndsTheBackoff(boolean now) {
		ScriptedServer server = connect(retries().with(AttemptSettings.INITIAL_BACKOFF, Duration.ofSeconds(25))
			.with(AttemptSettings.MAX_BACKOFF, Duration.ofSeconds(25))
			.end()
			.define(), fail(Status.Code.UNAVAILABLE), ok());
		CompletableFuture<Status> ended = new CompletableFuture<>();
		start(Loopback.within(50_000), ended);
		await().until(() -> server.seen().size() == 1 && this.resilience.inspection().pendingTimeouts() > 0);
		if (now) {
			this.channel.shutdownNow();
		}
		else {
			this.channel.shutdown();
		}
		Status status = ended.orTimeout(10, TimeUnit.SECONDS).join();
		assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(status.getDescription()).contains("shutdown");
		await().until(this.channel::isTerminated);
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
		assertThat(this.resilience.inspection().attemptBudgets().get("shop").taken()).isZero();
	}

	@Test
	void longBackoffEndsInAnotherAttempt() {
		ScriptedServer server = connect(
				retries().with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(470)).end().define(),
				fail(Status.Code.UNAVAILABLE), ok());
		assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.OK);
		assertThat(server.seen()).as("and no other call").hasSize(2);
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
		this.channel.shutdown();
		await().until(this.channel::isTerminated);
	}

	@Test
	void shutdownIsNotRetried() {
		connect(retries().end().define(), ok());
		this.channel.shutdown();
		assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(method().attemptCounts().furtherAttempts()).isZero();
	}

	@ParameterizedTest
	@ValueSource(longs = { 10_000, 400 })
	void refusedConnectionIsWaitedForOnce(long millis) throws Exception {
		int port;
		try (java.net.ServerSocket free = new java.net.ServerSocket(0)) {
			port = free.getLocalPort();
		}
		this.resilience = this.loopback.resilience(GrpcResilience.builder().policies(retries().end().define()));
		this.channel = this.loopback.channel(port, this.resilience, "shop");
		Ended ended = Calls.run(this.channel, Shop.UNARY, Loopback.within(millis));
		assertThat(ended.code()).as("not that of the wait").isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(ended.trailers().containsKey(PUSH_BACK)).isFalse();
		assertThat(method().attemptCounts().furtherAttempts()).isOne();
		assertThat(method().attemptCounts().ends()).containsOnlyKeys(AttemptEnd.NO_CONNECTION);
		assertThat(this.resilience.inspection().attemptBudgets().get("shop").taken()).isZero();
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
	}

	@ParameterizedTest
	@ValueSource(strings = { "retryPolicy", "hedgingPolicy" })
	void channelThatMakesAttemptsItselfIsLeftAlone(String policy) {
		java.util.Queue<ResilienceEvent> events = new java.util.concurrent.ConcurrentLinkedQueue<>();
		ScriptedServer script = connectRepeating(policy, events, fail(Status.Code.UNAVAILABLE));
		for (int i = 1; i <= 4; i++) {
			assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.UNAVAILABLE);
			assertThat(script.seen()).as("attempts of %s calls", i).hasSizeLessThanOrEqualTo(3 * i);
		}
		assertThat(events).filteredOn(ResilienceEvent.AttemptsOfChannel.class::isInstance).hasSize(1);
		assertThat(this.resilience.inspection().findings()).extracting(Finding::id).containsExactly("CHANNEL_ATTEMPTS");
	}

	@ParameterizedTest
	@ValueSource(strings = { "retryPolicy", "hedgingPolicy" })
	void channelWhoseAttemptsShowLateIsLeftAlone(String policy) {
		java.util.Queue<ResilienceEvent> events = new java.util.concurrent.ConcurrentLinkedQueue<>();
		ScriptedServer script = connectRepeating(policy, events, ok());
		for (int i = 0; i < 1_000; i++) {
			assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.OK);
		}
		script.play(fail(Status.Code.UNAVAILABLE));
		script.seen().clear();
		for (int i = 1; i <= 4; i++) {
			assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.UNAVAILABLE);
			assertThat(script.seen()).as("attempts of %s calls", i).hasSizeLessThanOrEqualTo(3 * i);
		}
		assertThat(events).filteredOn(ResilienceEvent.AttemptsOfChannel.class::isInstance).hasSize(1);
	}

	private ScriptedServer connectRepeating(String policy, java.util.Queue<ResilienceEvent> events,
			ScriptedServer.Step... steps) {
		ScriptedServer script = new ScriptedServer(steps);
		this.resilience = this.loopback
			.resilience(GrpcResilience.builder().policies(retries().end().define()).events(events::add));
		Server server = this.loopback.servePlain(script::service, (builder) -> {
		});
		Map<String, Object> own = policy.equals("retryPolicy")
				? Map.of("maxAttempts", 3.0, "initialBackoff", "0.001s", "maxBackoff", "0.001s", "backoffMultiplier",
						1.0, "retryableStatusCodes", List.of("UNAVAILABLE"))
				: Map.of("maxAttempts", 3.0, "hedgingDelay", "0.001s", "nonFatalStatusCodes", List.of("UNAVAILABLE"));
		this.channel = NettyChannelBuilder.forAddress("localhost", server.getPort())
			.usePlaintext()
			.defaultServiceConfig(Map.of("methodConfig",
					List.of(Map.of("name", List.of(Map.of("service", "test.v1.Shop")), policy, own))))
			.intercept(this.resilience.client("shop"))
			.build();
		this.loopback.end(this.channel);
		return script;
	}

	@Test
	void methodsThatNobodyCallsIdempotentAreMadeOnce() {
		ScriptedServer server = connect(retries().with(AttemptSettings.IDEMPOTENT, false).end().define(),
				fail(Status.Code.UNAVAILABLE), ok());
		assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(server.seen()).hasSize(1);
		assertThat(this.resilience.inspection().findings()).extracting(Finding::id).containsExactly("NOT_IDEMPOTENT");
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void descriptorSaysWhatIsIdempotent(boolean safe) {
		ScriptedServer server = connect(retriesOfWhatIsIdempotent().end().define(), fail(Status.Code.UNAVAILABLE),
				ok());
		assertThat(call(repeatable(safe)).code()).isEqualTo(Status.Code.OK);
		assertThat(server.seen()).hasSize(2);
		Setting<?> told = method().settings().get("idempotent");
		assertThat(told.value()).isEqualTo(true);
		assertThat(told.origin().location()).isEqualTo("proto");
		assertThat(this.resilience.inspection().findings()).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void policyIsStrongerThanTheDescriptor(boolean safe) {
		ScriptedServer server = connect(retries().with(AttemptSettings.IDEMPOTENT, false).end().define(),
				fail(Status.Code.UNAVAILABLE), ok());
		assertThat(call(repeatable(safe)).code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(server.seen()).hasSize(1);
		assertThat(method().settings().get("idempotent").origin().location()).isEqualTo("test.yml");
	}

	private static MethodDescriptor<String, String> repeatable(boolean safe) {
		return Shop.UNARY.toBuilder().setSafe(safe).setIdempotent(true).build();
	}

	@Test
	void budgetEndsAttempts() {
		ScriptedServer server = connect(retries().end().section(AttemptSettings.BUDGET_MIN_PER_SECOND, 0.1).define(),
				fail(Status.Code.UNAVAILABLE));
		Ended first = call(Shop.UNARY);
		assertThat(first.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(first.trailers().get(PUSH_BACK)).isEqualTo("-1");
		assertThat(server.seen()).as("0.1/s x 10s allow one further attempt").hasSize(2);
		assertThat(method().attemptCounts().ends()).containsOnlyKeys(AttemptEnd.BUDGET);
	}

	@Test
	void observeMakesOneAttempt() {
		ScriptedServer script = new ScriptedServer(fail(Status.Code.UNAVAILABLE), ok());
		this.resilience = this.loopback
			.resilience(GrpcResilience.builder().mode(Mode.OBSERVE).policies(retries().end().define()));
		Server server = this.loopback.servePlain(script::service, (builder) -> {
		});
		this.channel = this.loopback.channel(server, this.resilience, "shop");
		assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(script.seen()).hasSize(1);
		assertThat(method().attemptCounts().furtherAttempts()).isOne();
	}

	private ScriptedServer connectThrough(ClientInterceptor inner, PolicyDefinition policies,
			ScriptedServer.Step... steps) {
		ScriptedServer script = new ScriptedServer(steps);
		this.resilience = this.loopback.resilience(GrpcResilience.builder().policies(policies));
		Server server = this.loopback.servePlain(script::service, (builder) -> {
		});
		// The one that is added last comes first.
		this.channel = NettyChannelBuilder.forAddress("localhost", server.getPort())
			.usePlaintext()
			.intercept(inner)
			.intercept(this.resilience.client("shop"))
			.build();
		this.loopback.end(this.channel);
		return script;
	}

	private static Policies.Layer patientRetries() {
		return retries().with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(330))
			.with(AttemptSettings.JITTER, 0.0);
	}

	@Test
	void interceptorThatKnowsCallsOnlyDoesNotEndTheWait() throws Exception {
		Context.Key<String> user = Context.key("user");
		ScriptedServer server = connectThrough(new Inner((options) -> {
			Objects.requireNonNull(user.get(), "no user");
			return options;
		}), patientRetries().end().define(), fail(Status.Code.UNAVAILABLE), ok());
		Ended ended = Context.current().withValue(user, "u").call(() -> call(Shop.UNARY));
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		assertThat(server.seen()).hasSize(2);
	}

	@Test
	void interceptorThatSetsCredentialsHardlySeesMoreThanTheAttempts() {
		CallCredentials bearer = new CallCredentials() {

			@Override
			public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
				applier.apply(new Metadata());
			}

		};
		ScriptedServer server = connectThrough(new Inner((options) -> options.withCallCredentials(bearer)),
				patientRetries().end().define(), fail(Status.Code.UNAVAILABLE));
		for (int i = 0; i < 3; i++) {
			assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.UNAVAILABLE);
		}
		assertThat(server.seen()).hasSizeBetween(9, 10);
	}

	@Test
	void failureOfAnotherServicesChannelIsRetried() {
		ScriptedServer server = connect(retries().end().define(), (attempt) -> attempt.call()
			.close(Status.UNAVAILABLE.withDescription("Channel shutdown invoked"), new Metadata()), ok());
		assertThat(call(Shop.UNARY).code()).isEqualTo(Status.Code.OK);
		assertThat(server.seen()).hasSize(2);
	}

	@Test
	void answerComesToWhoAsksForItWithTheHeaders() {
		connect(retries().end().define(), ok());
		CompletableFuture<String> answer = new CompletableFuture<>();
		ClientCall<String, String> call = this.channel.newCall(Shop.UNARY, Loopback.within(10_000));
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onHeaders(Metadata headers) {
				call.request(1);
			}

			@Override
			public void onMessage(String message) {
				answer.complete(message);
			}

			@Override
			public void onClose(Status status, Metadata trailers) {
				answer.completeExceptionally(status.asException());
			}

		}, new Metadata());
		call.sendMessage("x");
		call.halfClose();
		assertThat(answer.orTimeout(5, TimeUnit.SECONDS).join()).isEqualTo("x");
	}

	@Test
	void interceptorThatThrowsForAFurtherAttemptEndsTheCall() {
		AtomicInteger calls = new AtomicInteger();
		ScriptedServer server = connectThrough(new Inner((options) -> {
			if (calls.incrementAndGet() > 1) {
				throw new IllegalStateException("not twice");
			}
			return options;
		}), retries().end().define(), fail(Status.Code.UNAVAILABLE));
		Ended ended = call(Shop.UNARY);
		assertThat(ended.code()).isEqualTo(Status.Code.UNKNOWN);
		assertThat(server.seen()).hasSize(1);
		assertThat(this.resilience.inspection().attemptBudgets().get("shop").taken()).isZero();
	}

	private record Inner(UnaryOperator<CallOptions> change) implements ClientInterceptor {

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options, Channel next) {
			return next.newCall(method, this.change.apply(options));
		}

	}

}
