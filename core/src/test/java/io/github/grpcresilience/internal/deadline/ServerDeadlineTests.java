package io.github.grpcresilience.internal.deadline;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

class ServerDeadlineTests {

	private final Loopback loopback = new Loopback();

	private final Shop shop = new Shop();

	private final CountDownLatch release = new CountDownLatch(1);

	@AfterEach
	void end() {
		this.release.countDown();
		this.loopback.close();
	}

	static List<MethodDescriptor<String, String>> types() {
		return List.of(Shop.UNARY, Shop.SERVER_STREAM, Shop.CLIENT_STREAM, Shop.BIDI);
	}

	@Test
	void shortensCallerDeadlineToMax() {
		assertThat(remainingSeenByHandler(Policies.server()
			.policy("p", "test.v1.Shop/Unary")
			.with(DeadlineSettings.MAX, Duration.ofMillis(3050))
			.end(), Loopback.within(20_000))).isBetween(Duration.ofMillis(1), Duration.ofMillis(3050));
	}

	@Test
	void shortensAbsurdDeadlineToMax() {
		assertThat(remainingSeenByHandler(Policies.server(),
				CallOptions.DEFAULT.withDeadlineAfter(Long.MAX_VALUE, TimeUnit.NANOSECONDS)))
			.isBetween(Duration.ofHours(23), Duration.ofHours(24));
	}

	/** Only a max that somebody wrote shortens it. */
	@Test
	void keepsALongDeadlineThatTheCallerAskedFor() {
		assertThat(remainingSeenByHandler(Policies.server(), Loopback.within(120_000)))
			.isBetween(Duration.ofSeconds(100), Duration.ofSeconds(120));
		assertThat(remainingSeenByHandler(Policies.server().section(DeadlineSettings.MAX, Duration.ofSeconds(30)),
				Loopback.within(120_000)))
			.isBetween(Duration.ofSeconds(20), Duration.ofSeconds(30));
	}

	@Test
	void neverExtendsWhatTheCallerAskedFor() {
		assertThat(remainingSeenByHandler(Policies.server(), Loopback.within(4070))).isBetween(Duration.ofMillis(1),
				Duration.ofMillis(4070));
	}

	@Test
	void appliesDefaultWhereTheCallerSentNone() {
		assertThat(remainingSeenByHandler(Policies.server(), CallOptions.DEFAULT)).isBetween(Duration.ofMillis(1),
				Duration.ofSeconds(5));
	}

	@Test
	void allowsCallsWithoutDeadlineWhereThePolicyDoes() {
		assertThat(remainingSeenByHandler(Policies.server().section(DeadlineSettings.MISSING, MissingDeadline.ALLOW),
				CallOptions.DEFAULT))
			.isNull();
	}

	private Duration remainingSeenByHandler(Policies policies, CallOptions options) {
		AtomicReference<Duration> seen = new AtomicReference<>();
		this.shop.unary((request, observer) -> {
			seen.set(Budget.remaining().orElse(null));
			Shop.echo(request, observer);
		});
		Channel channel = serve(GrpcResilience.builder().policies(policies.define()));
		assertThat(Loopback.call(channel, options, "x")).isEqualTo("x");
		return seen.get();
	}

	@ParameterizedTest
	@MethodSource("types")
	void rejectsCallsWithoutDeadlineOfAnyType(MethodDescriptor<String, String> method) throws Exception {
		AtomicInteger handled = countHandled();
		GrpcResilience resilience = resilience(Policies.server()
			.policy("p", "test.v1.Shop")
			.with(DeadlineSettings.MISSING, MissingDeadline.REJECT)
			.end());
		Channel channel = this.loopback.plainChannel(this.loopback.serve(resilience, this.shop));
		Calls.Ended ended = Calls.run(channel, method, CallOptions.DEFAULT);
		assertThat(ended.status().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		ErrorInfo info = ended.errorInfo();
		assertThat(info.getReason()).isEqualTo("DEADLINE_REQUIRED");
		assertThat(info.getDomain()).isEqualTo("grpc-resilience");
		assertThat(handled).hasValue(0);
		assertThat(Calls.run(channel, method, Loopback.within(9000)).status().getCode()).isEqualTo(Status.Code.OK);
	}

	@Test
	void rejectInTheSectionIsForUnaryCallsOnly() throws Exception {
		Channel channel = serve(GrpcResilience.builder()
			.policies(Policies.server().section(DeadlineSettings.MISSING, MissingDeadline.REJECT).define()));
		assertThat(Calls.run(channel, Shop.UNARY, CallOptions.DEFAULT).status().getCode())
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(Calls.run(channel, Shop.BIDI, CallOptions.DEFAULT).status().getCode()).isEqualTo(Status.Code.OK);
	}

	@Test
	void healthServiceIsUntouchedWhereDeadlinesAreRequired() {
		GrpcResilience resilience = resilience(Policies.server()
			.section(DeadlineSettings.MISSING, MissingDeadline.REJECT)
			.section(DeadlineSettings.DEFAULT, Duration.ofMillis(1)));
		Server server = this.loopback.serve(resilience, new HealthStatusManager().getHealthService());
		Channel channel = this.loopback.plainChannel(server);
		HealthCheckRequest request = HealthCheckRequest.getDefaultInstance();
		assertThat(HealthGrpc.newBlockingStub(channel).check(request).getStatus())
			.isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
		assertThat(HealthGrpc.newBlockingStub(channel).watch(request).next().getStatus())
			.isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
		assertThat(resilience.inspection().servedMethods()).allMatch((method) -> method.counts().byCode().isEmpty());
	}

	@Test
	void answersRichlyBeforeTheDeadlineWhileTheHandlerBlocks() throws Exception {
		this.shop.unary((request, observer) -> block());
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.service("orders")
			.policies(Policies.server()
				.section(DeadlineSettings.allowance(Side.SERVER).fraction(), 0.1)
				.section(DeadlineSettings.allowance(Side.SERVER).max(), Duration.ofSeconds(1))
				.define()));
		Channel channel = Calls.warm(this.loopback.plainChannel(this.loopback.serve(resilience, this.shop)));
		ErrorInfo info = exceeded(
				Calls.run(channel, Shop.SERVER_STREAM, CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.MINUTES)),
				() -> catchThrowable(() -> Loopback.call(channel, Loopback.within(2700), "x")));
		assertThat(info.getMetadataMap()).containsEntry("method", "test.v1.Shop/Unary")
			.containsEntry("service", "orders")
			.containsEntry("side", "server")
			.containsKeys("queue_ms", "elapsed_ms");
		assertThat(Integer.parseInt(info.getMetadataOrThrow("budget_ms"))).isBetween(2000, 2700);
		assertThat(Integer.parseInt(info.getMetadataOrThrow("elapsed_ms"))).isLessThan(2700);
	}

	@Test
	void imposedDefaultIsAnsweredRichly() {
		this.shop.unary((request, observer) -> block());
		Channel channel = serve(GrpcResilience.builder()
			.policies(Policies.server().section(DeadlineSettings.DEFAULT, Duration.ofMillis(77)).define()));
		Throwable thrown = catchThrowable(() -> Loopback.call(channel, CallOptions.DEFAULT, "x"));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(Loopback.errorInfo(thrown).getMetadataOrThrow("budget_ms")).isEqualTo("77");
	}

	@Test
	void streamWithADeadlineOfItsPolicyIsAnsweredAfterMessages() throws Exception {
		this.shop.serverStream((request, observer) -> observer.onNext("first"));
		Channel channel = serve(GrpcResilience.builder()
			.policies(Policies.server()
				.policy("p", "test.v1.Shop/ServerStream")
				.with(DeadlineSettings.DEFAULT, Duration.ofMillis(177))
				.end()
				.define()));
		Calls.Ended ended = Calls.run(channel, Shop.SERVER_STREAM, CallOptions.DEFAULT);
		assertThat(ended.messages()).containsExactly("first");
		assertThat(ended.errorInfo().getReason()).isEqualTo("DEADLINE_EXCEEDED");
	}

	@Test
	void cancelsTheContextWithATimeoutAfterTheAnswer() throws Exception {
		CompletableFuture<Throwable> cause = new CompletableFuture<>();
		this.shop.unary((request, observer) -> {
			Context.current().addListener((context) -> cause.complete(context.cancellationCause()), Runnable::run);
			block();
		});
		Channel channel = serve(GrpcResilience.builder()
			.policies(Policies.server().section(DeadlineSettings.MAX, Duration.ofMillis(277)).define()));
		assertThat(catchThrowable(() -> Loopback.call(channel, Loopback.within(20_000), "x")))
			.isInstanceOf(StatusRuntimeException.class);
		assertThat(cause.get(10, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
	}

	@Test
	void timeoutIsTheCauseAlsoWhereTheHandlerHasReturned() throws Exception {
		AtomicInteger handled = new AtomicInteger();
		BlockingQueue<String> causes = new LinkedBlockingQueue<>();
		this.shop.unary((request, observer) -> {
			handled.incrementAndGet();
			Context.current()
				.addListener((context) -> causes.add(String.valueOf(context.cancellationCause())), Runnable::run);
		});
		Channel channel = Calls.warm(serve(GrpcResilience.builder()
			.policies(Policies.server().section(DeadlineSettings.MAX, Duration.ofMillis(377)).define())));
		List<CompletableFuture<Calls.Ended>> calls = Stream
			.generate(() -> Calls.start(channel, Shop.UNARY, Loopback.within(20_000)))
			.limit(200)
			.toList();
		calls.forEach((call) -> assertThat(call.orTimeout(20, TimeUnit.SECONDS).join().code())
			.isEqualTo(Status.Code.DEADLINE_EXCEEDED));
		await().until(() -> handled.get() > 0 && causes.size() == handled.get());
		assertThat(causes).allMatch((cause) -> cause.contains("TimeoutException"));
	}

	@Test
	void handlerHearsOnCancelAndItsLateWritesAreDropped() throws Exception {
		CountDownLatch cancelled = new CountDownLatch(1);
		CompletableFuture<Object> outcome = new CompletableFuture<>();
		this.shop.unary((request, observer) -> {
			((ServerCallStreamObserver<String>) observer).setOnCancelHandler(cancelled::countDown);
			new Thread(() -> {
				try {
					cancelled.await();
					Shop.echo("late", observer);
					outcome.complete("no exception");
				}
				catch (Throwable ex) {
					outcome.complete(ex);
				}
			}).start();
		});
		Channel channel = serve(GrpcResilience.builder());
		Throwable thrown = catchThrowable(() -> Loopback.call(channel, Loopback.within(277), "x"));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(outcome.get(10, TimeUnit.SECONDS)).isEqualTo("no exception");
	}

	@Test
	void blockingStreamHandlerMayWriteLateWithoutAnException() throws Exception {
		CompletableFuture<Object> outcome = new CompletableFuture<>();
		this.shop.serverStream((request, observer) -> {
			try {
				while (!((ServerCallStreamObserver<String>) observer).isCancelled()) {
					observer.onNext("tick");
					TimeUnit.MILLISECONDS.sleep(3);
				}
				Shop.echo("late", observer);
				outcome.complete("no exception");
			}
			catch (Throwable ex) {
				outcome.complete(ex);
			}
		});
		Channel channel = serve(GrpcResilience.builder()
			.policies(Policies.server()
				.policy("p", "test.v1.Shop")
				.with(DeadlineSettings.MAX, Duration.ofMillis(177))
				.end()
				.define()));
		Calls.Ended ended = Calls.run(channel, Shop.SERVER_STREAM, Loopback.within(9000));
		assertThat(ended.messages()).contains("tick").doesNotContain("late");
		assertThat(ended.errorInfo().getReason()).isEqualTo("DEADLINE_EXCEEDED");
		assertThat(outcome.get(10, TimeUnit.SECONDS)).isEqualTo("no exception");
	}

	@Test
	void workAfterCompletionIsNotCancelledByUs() throws Exception {
		CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
		this.shop.unary((request, observer) -> {
			Shop.echo(request, observer);
			assertThat(Budget.remaining()).isEmpty();
			sleepUntilDeadlinePassed();
			cancelled.complete(Context.current().isCancelled());
		});
		Channel channel = serve(GrpcResilience.builder()
			.policies(Policies.server().section(DeadlineSettings.MAX, Duration.ofMillis(177)).define()));
		assertThat(Loopback.call(channel, CallOptions.DEFAULT, "x")).isEqualTo("x");
		assertThat(cancelled.get(10, TimeUnit.SECONDS)).isFalse();
	}

	@ParameterizedTest
	@MethodSource("types")
	void callThatExpiredInTheQueueReachesNoHandler(MethodDescriptor<String, String> method) throws Exception {
		AtomicInteger handled = countHandled();
		ExecutorService one = Executors.newSingleThreadExecutor();
		try {
			GrpcResilience resilience = resilience(Policies.server()
				.policy("p", "test.v1.Shop")
				.with(DeadlineSettings.MAX, Duration.ofMillis(140))
				.end());
			Server server = this.loopback.serve(resilience, this.shop, (builder) -> builder.executor(one));
			Channel channel = Calls.warm(this.loopback.plainChannel(server));
			handled.set(0);
			one.execute(this::block);
			CompletableFuture<Calls.Ended> ended = Calls.start(channel, method, Loopback.within(20_000));
			await().during(Duration.ofMillis(200)).until(() -> !ended.isDone());
			this.release.countDown();
			Calls.Ended end = ended.orTimeout(10, TimeUnit.SECONDS).join();
			ErrorInfo info = end.errorInfo();
			assertThat(info.getReason()).isEqualTo("DEADLINE_EXCEEDED");
			assertThat(Integer.parseInt(info.getMetadataOrThrow("queue_ms"))).isGreaterThanOrEqualTo(140);
			assertThat(handled).hasValue(0);
		}
		finally {
			this.release.countDown();
			one.shutdown();
		}
	}

	@Test
	void callWhoseOwnDeadlineRanOutInTheQueueReachesNoHandler() throws Exception {
		AtomicInteger handled = countHandled();
		ExecutorService one = Executors.newSingleThreadExecutor();
		try {
			GrpcResilience resilience = resilience(Policies.server());
			Server server = this.loopback.serve(resilience, this.shop, (builder) -> builder.executor(one));
			Channel channel = Calls.warm(this.loopback.plainChannel(server));
			handled.set(0);
			one.execute(this::block);
			for (MethodDescriptor<String, String> method : types()) {
				assertThat(Calls.run(channel, method, Loopback.within(60)).status().getCode())
					.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			}
			// The server counts from the arrival, which a busy machine delays.
			await().during(Duration.ofMillis(200)).until(() -> handled.get() == 0);
			this.release.countDown();
			await().until(() -> counted(resilience) == 5);
			assertThat(handled).hasValue(0);
		}
		finally {
			one.shutdown();
		}
	}

	private static long counted(GrpcResilience resilience) {
		return resilience.inspection()
			.servedMethods()
			.stream()
			.mapToLong((method) -> method.counts().byCode().values().stream().mapToLong(Long::longValue).sum())
			.sum();
	}

	@Test
	void tinyBudgetsEndCleanly() {
		this.shop.unary((request, observer) -> block());
		GrpcResilience resilience = resilience(Policies.server());
		Channel channel = Calls.warm(this.loopback.plainChannel(this.loopback.serve(resilience, this.shop)));
		for (int i = 0; i < 50; i++) {
			Throwable thrown = catchThrowable(() -> Loopback.call(channel, Loopback.within(1), "x"));
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		}
		this.release.countDown();
		await().untilAsserted(() -> assertThat(resilience.inspection().servedMethods())
			.allSatisfy((method) -> assertThat(method.counts().inFlight()).isZero()));
		await().until(resilience.inspection()::pendingTimeouts, (pending) -> pending == 0);
	}

	@Test
	void observeDecidesAndCountsAndChangesNothing() {
		AtomicReference<Duration> seen = new AtomicReference<>(Duration.ZERO);
		this.shop.unary((request, observer) -> {
			seen.set(Budget.remaining().orElse(null));
			sleepMillis(60);
			Shop.echo(request, observer);
		});
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.mode(Mode.OBSERVE)
			.policies(Policies.server()
				.section(DeadlineSettings.DEFAULT, Duration.ofMillis(7))
				.section(DeadlineSettings.MAX, Duration.ofMillis(7))
				.define()));
		Channel channel = this.loopback.plainChannel(this.loopback.serve(resilience, this.shop));
		assertThat(Loopback.call(channel, CallOptions.DEFAULT, "x")).isEqualTo("x");
		assertThat(seen.get()).isNull();
		ServedMethod unary = served(resilience, Shop.UNARY);
		await().until(() -> unary.counts().byCode().get(Status.Code.OK), (count) -> count != null && count == 1);
		await().untilAsserted(() -> assertThat(unary.counts().byReason()).containsEntry(Reason.DEADLINE_EXCEEDED, 1L));
	}

	/** Many of them leave in the moment in which they are answered. */
	@Test
	void callThatItsCallerLeftCountsAsThatOnly() throws Exception {
		this.shop.unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
			}
		});
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.policies(Policies.server().section(DeadlineSettings.DEFAULT, Duration.ofMillis(30)).define()));
		Channel channel = this.loopback.plainChannel(this.loopback.serve(resilience, this.shop));
		Loopback.call(channel, CallOptions.DEFAULT, "warm");
		for (int round = 0; round < 20; round++) {
			List<ListenableFuture<String>> calls = new ArrayList<>();
			for (int i = 0; i < 20; i++) {
				calls.add(ClientCalls.futureUnaryCall(channel.newCall(Shop.UNARY, CallOptions.DEFAULT), "x"));
			}
			sleepMillis(24 + round % 7);
			calls.forEach((call) -> call.cancel(true));
		}
		ServedMethod unary = served(resilience, Shop.UNARY);
		await().until(() -> unary.counts().inFlight() == 0);
		Map<Status.Code, Long> codes = unary.counts().byCode();
		assertThat(codes).as("all kinds of ends").containsKey(Status.Code.CANCELLED);
		await().untilAsserted(() -> assertThat(unary.counts().byReason().getOrDefault(Reason.DEADLINE_EXCEEDED, 0L))
			.isEqualTo(codes.getOrDefault(Status.Code.DEADLINE_EXCEEDED, 0L)));
	}

	@Test
	void observeFindsStreamsWithoutDeadline() throws Exception {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder().mode(Mode.OBSERVE));
		Calls.run(this.loopback.plainChannel(this.loopback.serve(resilience, this.shop)), Shop.BIDI,
				CallOptions.DEFAULT);
		assertThat(resilience.inspection().findings()).extracting(Finding::id)
			.containsExactly("STREAM_WITHOUT_DEADLINE");
	}

	@Test
	void handlersStatusAndTrailersPass() {
		Metadata.Key<String> key = Metadata.Key.of("x-own", Metadata.ASCII_STRING_MARSHALLER);
		this.shop.unary((request, observer) -> {
			Metadata trailers = new Metadata();
			trailers.put(key, "kept");
			observer.onError(Status.DEADLINE_EXCEEDED.withDescription("mine").asRuntimeException(trailers));
		});
		Channel channel = serve(GrpcResilience.builder());
		StatusRuntimeException thrown = (StatusRuntimeException) catchThrowable(
				() -> Loopback.call(channel, Loopback.within(9000), "x"));
		assertThat(thrown).hasMessage("DEADLINE_EXCEEDED: mine");
		assertThat(thrown.getTrailers().get(key)).isEqualTo("kept");
	}

	@Test
	void secondCloseOfAHandlerIsDropped() {
		CompletableFuture<Object> outcome = new CompletableFuture<>();
		this.shop.unary((request, observer) -> {
			Shop.echo(request, observer);
			outcome.complete(String.valueOf(
					catchThrowable(() -> observer.onError(Status.INTERNAL.withDescription("again").asException()))));
		});
		Channel channel = serve(GrpcResilience.builder());
		assertThat(Loopback.call(channel, Loopback.within(9000), "x")).isEqualTo("x");
		assertThat(outcome.join()).isEqualTo("null");
	}

	@Test
	void streamWithoutDeadlineAndUnmatchedPolicyAreFindings() throws Exception {
		GrpcResilience resilience = resilience(Policies.server()
			.policy("p", "test.v1.Shop/Unray")
			.with(DeadlineSettings.MAX, Duration.ofSeconds(1))
			.end());
		Channel channel = this.loopback.plainChannel(this.loopback.serve(resilience, this.shop));
		assertThat(resilience.inspection().findings()).extracting(Finding::id).containsExactly("UNMATCHED_METHOD");
		Calls.run(channel, Shop.BIDI, CallOptions.DEFAULT);
		Calls.run(channel, Shop.SERVER_STREAM, Loopback.within(9000));
		assertThat(resilience.inspection().findings()).extracting(Finding::id, Finding::subject)
			.contains(org.assertj.core.groups.Tuple.tuple("STREAM_WITHOUT_DEADLINE", "test.v1.Shop/Bidi"))
			.hasSize(2);
	}

	private static ServedMethod served(GrpcResilience resilience, MethodDescriptor<?, ?> method) {
		return resilience.inspection()
			.servedMethods()
			.stream()
			.filter((known) -> known.name().equals(method.getFullMethodName()))
			.findFirst()
			.orElseThrow();
	}

	private ErrorInfo exceeded(Calls.Ended warmed, java.util.function.Supplier<Throwable> call) {
		assertThat(warmed.status().getCode()).isEqualTo(Status.Code.OK);
		Throwable thrown = call.get();
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		return Loopback.errorInfo(thrown);
	}

	private AtomicInteger countHandled() {
		AtomicInteger handled = new AtomicInteger();
		this.shop.unary((request, observer) -> {
			handled.incrementAndGet();
			Shop.echo(request, observer);
		}).serverStream((request, observer) -> {
			handled.incrementAndGet();
			Shop.echo(request, observer);
		}).clientStream((observer) -> {
			handled.incrementAndGet();
			return Shop.echoAll(observer);
		}).bidi((observer) -> {
			handled.incrementAndGet();
			return Shop.echoAll(observer);
		});
		return handled;
	}

	private GrpcResilience resilience(Policies policies) {
		return this.loopback.resilience(GrpcResilience.builder().policies(policies.define()));
	}

	private ManagedChannel serve(GrpcResilienceBuilder builder) {
		return this.loopback.plainChannel(this.loopback.serve(this.loopback.resilience(builder), this.shop));
	}

	private void block() {
		try {
			this.release.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void sleepUntilDeadlinePassed() {
		while (!Context.current().getDeadline().isExpired()) {
			sleepMillis(3);
		}
		sleepMillis(30);
	}

	private static void sleepMillis(long millis) {
		try {
			TimeUnit.MILLISECONDS.sleep(millis);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
