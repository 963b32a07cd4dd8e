package io.github.grpcresilience.internal.attempt;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.inprocess.InProcessSocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.GivenNames;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.AttemptGates;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.CalledMethods;
import io.github.grpcresilience.internal.policy.AttemptBudgetPolicy;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.CalledMethodPolicy;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.PolicyFault;

import static io.github.grpcresilience.internal.attempt.ScriptedServer.fail;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.ok;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.pushBack;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.retryInfo;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.silence;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * When attempts begin, to the nanosecond: all on one thread, in time that the test moves.
 */
class AttemptTimingTests {

	private static final Duration NANO = Duration.ofNanos(1);

	private final FakeTime time = new FakeTime();

	private final AttemptBudget budget = new AttemptBudget(
			new AttemptBudgetPolicy(0.1, 1, TimeUnit.SECONDS.toNanos(10)), this.time);

	private final ClientChannels channels = new ClientChannels(this.time, this.time, () -> 0.5, Runnable::run);

	private final Gates gates = new Gates();

	private final GivenNames names = new GivenNames(InProcessSocketAddress.class);

	private Server server;

	private ManagedChannel channel;

	private CalledMethods methods;

	@AfterEach
	void close() {
		this.channel.shutdownNow();
		this.server.shutdownNow();
		this.names.close();
	}

	private static Policies.Layer policy(String target) {
		return Policies.client().policy("shop", target).with(AttemptSettings.IDEMPOTENT, true);
	}

	private static Policies.Layer retries(long backoffMillis) {
		return retriesOf(backoffMillis, "test.v1.Shop");
	}

	private static Policies.Layer retriesOf(long backoffMillis, String target) {
		return policy(target).with(AttemptSettings.RETRY_MAX_ATTEMPTS, 3)
			.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(backoffMillis))
			.with(AttemptSettings.JITTER, 0.0);
	}

	private static Policies.Layer hedges(long delayMillis) {
		return policy("test.v1.Shop").with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 3)
			.with(AttemptSettings.HEDGE_DELAY, HedgeDelay.of(Duration.ofMillis(delayMillis)));
	}

	private List<ScriptedServer.Seen> connect(Policies.Layer policy, ScriptedServer.Step... steps) throws IOException {
		List<ScriptedServer.Seen> seen = connectOnceResolved(policy, steps);
		resolve();
		return seen;
	}

	private void resolve() {
		this.names.give(this.server.getListenSockets().get(0), Map.of());
	}

	private List<ScriptedServer.Seen> connectOnceResolved(Policies.Layer policy, ScriptedServer.Step... steps)
			throws IOException {
		ScriptedServer script = new ScriptedServer(steps);
		start(InProcessServerBuilder.generateName(), script);
		this.methods = policy.end().calledBy("shop", this.gates);
		ClientInterceptor attempts = Attempts.interceptor(this.methods, this.budget, this.time, this.time, () -> 0.5,
				Runnable::run, (percentile) -> {
					throw new IllegalStateException("no percentile was asked for");
				}, this.channels, new Straight());
		this.channel = InProcessChannelBuilder.forTarget(this.names.target())
			.directExecutor()
			.intercept(attempts)
			.build();
		return script.seen();
	}

	private void start(String name, ScriptedServer script) throws IOException {
		this.server = InProcessServerBuilder.forName(name)
			.directExecutor()
			.addService(script.service())
			.build()
			.start();
	}

	private String stop() {
		String name = ((InProcessSocketAddress) this.server.getListenSockets().get(0)).getName();
		this.server.shutdownNow();
		return name;
	}

	private CompletableFuture<Ended> call(MethodDescriptor<String, String> method) {
		return Calls.start(this.channel, method, CallOptions.DEFAULT);
	}

	private CalledMethod method() {
		return this.methods.all().iterator().next();
	}

	private void assertBeginsAfter(Duration wait, List<ScriptedServer.Seen> seen) {
		int before = seen.size();
		this.time.pass(wait.minus(NANO));
		assertThat(seen).as("a nanosecond too early").hasSize(before);
		this.time.pass(NANO);
		assertThat(seen).hasSize(before + 1);
	}

	private void assertAnswered(CompletableFuture<Ended> call) {
		assertThat(call).isCompletedWithValueMatching((ended) -> ended.status().isOk());
		assertThat(this.time.pending()).as("timeouts left").isZero();
	}

	@Test
	void backoffIsWaitedAndGrows() throws IOException {
		List<ScriptedServer.Seen> seen = connect(retries(31), fail(Status.Code.UNAVAILABLE),
				fail(Status.Code.UNAVAILABLE), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		assertBeginsAfter(Duration.ofMillis(31), seen);
		assertBeginsAfter(Duration.ofMillis(62), seen);
		assertAnswered(call);
	}

	@Test
	void pushBackIsWaited() throws IOException {
		List<ScriptedServer.Seen> seen = connect(retries(7), pushBack(Status.Code.UNAVAILABLE, "307"), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		assertBeginsAfter(Duration.ofMillis(307), seen);
		assertThat(call).isCompletedWithValueMatching((ended) -> ended.status().isOk());
	}

	@Test
	void retryInfoIsWaited() throws IOException {
		List<ScriptedServer.Seen> seen = connect(retries(7), retryInfo(Status.Code.UNAVAILABLE, 93), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		assertBeginsAfter(Duration.ofMillis(93), seen);
		assertAnswered(call);
	}

	@Test
	void waitThatOutlastsTheDeadlineAfterAllEndsWithTheFailure() throws IOException {
		List<ScriptedServer.Seen> seen = connect(retries(70), fail(Status.Code.UNAVAILABLE), ok());
		CompletableFuture<Ended> call = Calls.start(this.channel, Shop.UNARY,
				CallOptions.DEFAULT.withDeadline(Deadline.after(9, TimeUnit.SECONDS, this.time)));
		this.time.lag(Duration.ofSeconds(9));
		this.time.pass(Duration.ZERO);
		assertThat(call).isCompletedWithValueMatching((ended) -> ended.status().getCode() == Status.Code.UNAVAILABLE);
		assertThat(seen).hasSize(1);
		assertThat(method().attemptCounts().ends()).containsOnlyKeys(AttemptEnd.DEADLINE);
		assertThat(this.budget.taken()).as("attempts that were not made").isZero();
	}

	@Test
	void quietStreamOfATimedServiceIsLeftAlone() throws IOException {
		List<ScriptedServer.Seen> seen = connect(
				retries(7).with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(31)), silence());
		CompletableFuture<Ended> call = call(Shop.SERVER_STREAM);
		this.time.pass(Duration.ofSeconds(7));
		assertThat(seen).hasSize(1);
		assertThat(seen.get(0).isCancelled()).isFalse();
		seen.get(0).call().sendHeaders(new Metadata());
		seen.get(0).call().sendMessage("first event");
		seen.get(0).call().close(Status.OK, new Metadata());
		assertAnswered(call);
	}

	@Test
	void streamThatHasNoHeadersInTimeIsRetried() throws IOException {
		List<ScriptedServer.Seen> seen = connect(
				retriesOf(7, "test.v1.Shop/ServerStream").with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(31)),
				silence(), ok());
		CompletableFuture<Ended> call = call(Shop.SERVER_STREAM);
		this.time.pass(Duration.ofMillis(31).minus(NANO));
		assertThat(seen.get(0).isCancelled()).isFalse();
		this.time.pass(NANO);
		assertThat(seen.get(0).isCancelled()).isTrue();
		assertBeginsAfter(Duration.ofMillis(7), seen);
		assertAnswered(call);
	}

	@ParameterizedTest
	@ValueSource(longs = { 17, 60_000 })
	void hedgeComesAfterItsDelay(long millis) throws IOException {
		List<ScriptedServer.Seen> seen = connect(hedges(millis), silence(), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		assertBeginsAfter(Duration.ofMillis(millis), seen);
		assertAnswered(call);
		assertThat(seen.get(0).isCancelled()).isTrue();
	}

	@Test
	void delayBeginsAnewWithEachAttempt() throws IOException {
		List<ScriptedServer.Seen> seen = connect(hedges(600), silence(), silence(), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		this.time.pass(Duration.ofMillis(400));
		seen.get(0).call().close(Status.UNAVAILABLE, new Metadata());
		assertThat(seen).as("the next one comes at once").hasSize(2);
		assertBeginsAfter(Duration.ofMillis(600), seen);
		assertAnswered(call);
	}

	@Test
	void hedgeThatTheServerDelaysComesLater() throws IOException {
		List<ScriptedServer.Seen> seen = connect(hedges(20), silence(), pushBack(Status.Code.UNAVAILABLE, "90"), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		assertBeginsAfter(Duration.ofMillis(20), seen);
		assertBeginsAfter(Duration.ofMillis(90), seen);
		assertAnswered(call);
		assertThat(this.budget.taken()).isEqualTo(2);
	}

	@Test
	void answerThatWaitsForTheCallersExecutorIsNotHedged() throws IOException {
		List<ScriptedServer.Seen> seen = connect(hedges(20), ok());
		Queue<Runnable> busy = new ArrayDeque<>();
		CompletableFuture<Ended> call = Calls.start(this.channel, Shop.UNARY,
				CallOptions.DEFAULT.withExecutor(busy::add));
		assertThat(seen).hasSize(1);
		this.time.pass(Duration.ofMillis(20));
		assertThat(seen).hasSize(1);
		assertThat(call).isNotDone();
		while (!busy.isEmpty()) {
			busy.remove().run();
		}
		assertAnswered(call);
		assertThat(this.budget.taken()).isZero();
	}

	@Test
	void delayOfAHedgeBeginsWhenTheAttemptBeforeItIsSent() throws IOException {
		List<ScriptedServer.Seen> seen = connectOnceResolved(hedges(50), silence(), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		this.time.pass(Duration.ofMillis(600));
		resolve();
		assertThat(seen).hasSize(1);
		assertThat(this.budget.taken()).isZero();
		assertBeginsAfter(Duration.ofMillis(50), seen);
		assertAnswered(call);
	}

	@Test
	void delayOfAHedgeBeginsWhenTheAttemptBeforeItIsSentAlsoIfThatIsSoon() throws IOException {
		List<ScriptedServer.Seen> seen = connectOnceResolved(hedges(50), silence(), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		this.time.pass(Duration.ofMillis(31));
		resolve();
		assertBeginsAfter(Duration.ofMillis(50), seen);
		assertAnswered(call);
	}

	@Test
	void hedgesWithoutDelayWaitUntilTheFirstAttemptIsSent() throws IOException {
		List<ScriptedServer.Seen> seen = connectOnceResolved(hedges(0), silence(), silence(), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		this.time.pass(Duration.ofMillis(600));
		assertThat(this.budget.taken()).isZero();
		resolve();
		this.time.pass(Duration.ZERO);
		assertThat(seen).hasSize(3);
		assertAnswered(call);
	}

	@ParameterizedTest
	@ValueSource(longs = { 17, 600 })
	void timeoutOfAStreamBeginsWhenItIsSent(long millis) throws IOException {
		List<ScriptedServer.Seen> seen = connectOnceResolved(
				retriesOf(7, "test.v1.Shop/ServerStream").with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(31)),
				silence(), ok());
		CompletableFuture<Ended> call = call(Shop.SERVER_STREAM);
		this.time.pass(Duration.ofMillis(millis));
		resolve();
		assertThat(seen).hasSize(1);
		this.time.pass(Duration.ofMillis(31).minus(NANO));
		assertThat(seen.get(0).isCancelled()).isFalse();
		this.time.pass(NANO);
		assertThat(seen.get(0).isCancelled()).isTrue();
		assertBeginsAfter(Duration.ofMillis(7), seen);
		assertAnswered(call);
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void attemptAfterOneThatFoundNoConnectionWaitsForOne(boolean hedged) throws IOException {
		connect(hedged ? hedges(70) : retries(7), ok());
		stop();
		CompletableFuture<Ended> call = call(Shop.UNARY);
		this.time.pass(Duration.ofMillis(hedged ? 0 : 7));
		this.time.pass(Duration.ofSeconds(1).minus(NANO));
		assertThat(call).isNotDone();
		this.time.pass(NANO);
		assertThat(call).isCompletedWithValueMatching((ended) -> ended.code() == Status.Code.UNAVAILABLE
				&& ended.status().getDescription().contains("Could not find server"));
		assertThat(call.join().trailers().keys()).as("no server shall be spared what none has seen").isEmpty();
		assertThat(method().attemptCounts().ends()).containsOnlyKeys(AttemptEnd.NO_CONNECTION);
		assertThat(this.budget.taken()).isZero();
		assertThat(this.time.pending()).isZero();
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void channelThatIsKnownConnectsWhileAttemptsWait(boolean hedged) throws IOException {
		connect(hedged ? hedges(70) : retries(7), ok());
		this.channels.learn(this.channel);
		String name = stop();
		CompletableFuture<Ended> call = call(Shop.UNARY);
		this.time.pass(Duration.ofMillis(400));
		ScriptedServer script = new ScriptedServer(ok());
		start(name, script);
		assertThat(call).isNotDone();
		this.time.pass(Duration.ofMillis(110));
		assertAnswered(call);
		assertThat(script.previousAttempts()).as("as if it were the first").containsExactly("null");
		assertThat(this.budget.taken()).isZero();
		assertThat(method().attemptCounts().rescuedCalls()).isOne();
	}

	@Test
	void attemptThatHasWaitedForItsConnectionHasItsWholeTimeout() throws IOException {
		connect(retriesOf(7, "test.v1.Shop/ServerStream").with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(310)),
				ok());
		this.channels.learn(this.channel);
		String name = stop();
		CompletableFuture<Ended> call = call(Shop.SERVER_STREAM);
		this.time.pass(Duration.ofMillis(400));
		ScriptedServer script = new ScriptedServer(silence(), ok());
		start(name, script);
		this.time.pass(Duration.ofMillis(107));
		assertThat(script.seen()).hasSize(1);
		this.time.pass(Duration.ofMillis(310).minus(NANO));
		assertThat(script.seen().get(0).isCancelled()).isFalse();
		this.time.pass(NANO);
		assertThat(script.seen().get(0).isCancelled()).isTrue();
		assertBeginsAfter(Duration.ofMillis(7), script.seen());
		assertThat(script.previousAttempts()).containsExactly("null", "1");
		assertAnswered(call);
	}

	@Test
	void thereIsNoHedgeWhileTheGateRefuses() throws IOException {
		List<ScriptedServer.Seen> seen = connect(hedges(70), silence(), ok());
		CompletableFuture<Ended> call = call(Shop.UNARY);
		this.gates.refusing = true;
		this.time.pass(Duration.ofMillis(300));
		assertThat(seen).hasSize(1);
		assertThat(this.budget.taken()).isZero();
		seen.get(0).call().sendHeaders(new Metadata());
		seen.get(0).call().sendMessage("x");
		seen.get(0).call().close(Status.OK, new Metadata());
		assertAnswered(call);
	}

	@Test
	void answerLeavesNoTimeout() throws IOException {
		connect(hedges(20), ok());
		assertAnswered(call(Shop.UNARY));
		assertAnswered(call(Shop.SERVER_STREAM));
	}

	/** Refuses when it is told to. Nobody asks it, since nothing sends through it. */
	private static final class Gates implements AttemptGates, AttemptGate {

		private boolean refusing;

		@Override
		public List<PolicyFault> check(PolicyDefinition definition) {
			return List.of();
		}

		@Override
		public AttemptGate find(CalledMethodPolicy policy, String client, String method) {
			return this;
		}

		@Override
		public boolean refusesNow() {
			return this.refusing;
		}

		@Override
		public Answer ask() {
			throw new IllegalStateException("nothing was to be sent through it");
		}

	}

	/** Leads to the channel. */
	private static final class Straight implements ClientInterceptor {

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options, Channel next) {
			return next.newCall(method, options);
		}

	}

}
