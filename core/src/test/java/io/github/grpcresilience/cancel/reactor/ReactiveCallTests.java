package io.github.grpcresilience.cancel.reactor;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Calls over loopback, made by subscriptions, and subscriptions of handlers.
 */
class ReactiveCallTests {

	private static final Duration LONG = Duration.ofSeconds(20);

	private final Loopback loopback = new Loopback();

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());

	private final CountDownLatch reached = new CountDownLatch(1);

	private final CompletableFuture<Void> cancelled = new CompletableFuture<>();

	private CallSubscriptions subscriptions;

	@BeforeEach
	void install() {
		this.subscriptions = CallSubscriptions.install(this.resilience.work().canceller());
	}

	@AfterEach
	void end() {
		this.subscriptions.close();
		this.loopback.close();
	}

	private ManagedChannel serve(Shop shop) {
		ManagedChannel channel = this.loopback.channel(this.loopback.serve(this.resilience, shop), this.resilience,
				"shop");
		Loopback.warmUp(channel);
		return channel;
	}

	/** Never answers, and tells when it was reached and when it was cancelled. */
	private void hang(String request, StreamObserver<String> observer) {
		if (request.equals("warm")) {
			Shop.echo(request, observer);
			return;
		}
		Context.current().addListener((context) -> this.cancelled.complete(null), Runnable::run);
		this.reached.countDown();
	}

	private static Mono<String> unary(Channel channel, String request) {
		return ReactiveCalls
			.unary(() -> ClientCalls.futureUnaryCall(channel.newCall(Shop.UNARY, Loopback.within(20_000)), request));
	}

	private static Flux<String> stream(Channel channel, String request) {
		return ReactiveCalls.serverStreaming(request, (sent, responses) -> ClientCalls
			.asyncServerStreamingCall(channel.newCall(Shop.SERVER_STREAM, Loopback.within(20_000)), sent, responses));
	}

	@Test
	void responseArrivesOncePerSubscription() {
		AtomicInteger calls = new AtomicInteger();
		Mono<String> response = unary(serve(new Shop().unary((request, observer) -> {
			calls.incrementAndGet();
			Shop.echo(request, observer);
		})), "response");
		calls.set(0);
		assertThat(response.block(LONG)).isEqualTo("response");
		assertThat(response.block(LONG)).isEqualTo("response");
		assertThat(calls).hasValue(2);
	}

	@Test
	void statusArrivesAsItIs() {
		ManagedChannel channel = serve(new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			observer.onError(Status.NOT_FOUND.withDescription("no such thing").asRuntimeException());
		})
			.serverStream((request, observer) -> observer
				.onError(Status.NOT_FOUND.withDescription("no such thing").asRuntimeException())));
		assertThat(catchThrowable(() -> unary(channel, "x").block(LONG))).isInstanceOf(StatusRuntimeException.class)
			.hasMessage("NOT_FOUND: no such thing");
		assertThat(catchThrowable(() -> stream(channel, "x").blockLast(LONG)))
			.isInstanceOf(StatusRuntimeException.class)
			.hasMessage("NOT_FOUND: no such thing");
	}

	/** Ways to make a call that is cancelled when its subscription is disposed. */
	enum Way {

		FUTURE_STUB((channel) -> unary(channel, "x")),

		ASYNC_STUB((channel) -> stream(channel, "x").next()),

		BLOCKING_STUB((channel) -> Mono.fromCallable(() -> Loopback.call(channel, Loopback.within(20_000), "x"))
			.subscribeOn(Schedulers.boundedElastic()));

		@SuppressWarnings("ImmutableEnumChecker")
		private final Function<Channel, Mono<String>> call;

		Way(Function<Channel, Mono<String>> call) {
			this.call = call;
		}

	}

	@ParameterizedTest
	@EnumSource
	void disposedSubscriptionCancelsItsCall(Way way) throws Exception {
		ManagedChannel channel = serve(new Shop().unary(this::hang).serverStream(this::hang));
		Disposable subscription = way.call.apply(channel).subscribe();
		assertThat(this.reached.await(20, TimeUnit.SECONDS)).isTrue();
		subscription.dispose();
		this.cancelled.get(20, TimeUnit.SECONDS);
	}

	@ParameterizedTest
	@EnumSource
	void abandonedCallCancelsTheCallsOfItsSubscriptions(Way way) throws Exception {
		ManagedChannel leaf = serve(new Shop().unary(this::hang).serverStream(this::hang));
		CompletableFuture<Throwable> told = new CompletableFuture<>();
		ManagedChannel channel = serve(new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			told.complete(catchThrowable(() -> way.call.apply(leaf).publishOn(Schedulers.parallel()).block()));
		}));
		ClientCall<String, String> call = channel.newCall(Shop.UNARY, Loopback.within(20_000));
		call.start(new ClientCall.Listener<>() {
		}, new Metadata());
		call.request(2);
		call.sendMessage("x");
		call.halfClose();
		assertThat(this.reached.await(20, TimeUnit.SECONDS)).isTrue();
		call.cancel("the caller leaves", null);
		this.cancelled.get(20, TimeUnit.SECONDS);
		assertThat(Status.fromThrowable(told.get(20, TimeUnit.SECONDS)).getCode()).isEqualTo(Status.Code.CANCELLED);
		// None if gRPC itself, which cancels the call downstream, was first to tell.
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.SUBSCRIPTION).cancelled())
			.isLessThanOrEqualTo(1);
	}

	@Test
	void budgetReachesTheCallOnAnotherScheduler() {
		ManagedChannel leaf = serve(new Shop().unary((request, observer) -> Shop
			.echo(String.valueOf(Budget.remaining().map(Duration::toMillis).orElse(-1L)), observer)));
		ManagedChannel channel = serve(new Shop().unary((request, observer) -> Mono.just(request)
			.publishOn(Schedulers.parallel())
			.flatMap((value) -> ReactiveCalls
				.unary(() -> ClientCalls.futureUnaryCall(leaf.newCall(Shop.UNARY, CallOptions.DEFAULT), value)))
			.subscribe((value) -> Shop.echo(value, observer), observer::onError)));
		long millis = Long.parseLong(Loopback.call(channel, Loopback.within(1_234), ""));
		assertThat(millis).isBetween(1L, 1_234L);
	}

	@Test
	void subscriptionGoesOnCallingAfterTheAnswer() throws Exception {
		ManagedChannel leaf = serve(new Shop());
		CompletableFuture<Context> handler = new CompletableFuture<>();
		CompletableFuture<Void> answered = new CompletableFuture<>();
		CompletableFuture<String> mailed = new CompletableFuture<>();
		ManagedChannel channel = serve(new Shop().unary((request, observer) -> {
			if (request.equals("order")) {
				handler.complete(Context.current());
				Disposable mail = Mono.fromFuture(answered)
					.then(unary(leaf, "mail"))
					.subscribe(mailed::complete, mailed::completeExceptionally);
				assertThat(mail.isDisposed()).isFalse();
			}
			Shop.echo(request, observer);
		}));
		assertThat(Loopback.call(channel, Loopback.within(20_000), "order")).isEqualTo("order");
		await().until(() -> handler.join().isCancelled());
		answered.complete(null);
		assertThat(mailed.get(20, TimeUnit.SECONDS)).isEqualTo("mail");
	}

	@Test
	void serverSendsNoMoreThanIsRequested() throws Exception {
		AtomicInteger produced = new AtomicInteger();
		String large = "x".repeat(100_000);
		ManagedChannel channel = serve(new Shop().serverStream((request, observer) -> {
			ServerCallStreamObserver<String> responses = (ServerCallStreamObserver<String>) observer;
			responses.setOnReadyHandler(() -> {
				while (responses.isReady() && produced.get() < 1_000) {
					responses.onNext(large);
					if (produced.incrementAndGet() == 1_000) {
						responses.onCompleted();
					}
				}
			});
		}));
		AtomicInteger received = new AtomicInteger();
		CountDownLatch completed = new CountDownLatch(1);
		BaseSubscriber<String> slow = new BaseSubscriber<>() {

			@Override
			protected void hookOnSubscribe(Subscription subscription) {
				request(3);
			}

			@Override
			protected void hookOnNext(String value) {
				received.incrementAndGet();
			}

			@Override
			protected void hookOnComplete() {
				completed.countDown();
			}

		};
		stream(channel, "x").subscribe((Subscriber<String>) slow);
		await().until(() -> received.get() == 3);
		await().during(Duration.ofMillis(300)).until(() -> received.get() == 3 && produced.get() < 100);
		slow.request(4);
		await().until(() -> received.get() == 7);
		slow.requestUnbounded();
		assertThat(completed.await(20, TimeUnit.SECONDS)).isTrue();
		assertThat(received).hasValue(1_000);
	}

	@Test
	void publisherAnswersACallAsFastAsTheCallerTakesIt() throws Exception {
		AtomicInteger emitted = new AtomicInteger();
		ManagedChannel channel = serve(new Shop().serverStream((request, observer) -> ReactiveCalls.answer(
				Flux.range(0, 500).map((i) -> "x".repeat(10_000)).doOnNext((i) -> emitted.incrementAndGet()),
				observer)));
		AtomicInteger received = new AtomicInteger();
		CountDownLatch complete = new CountDownLatch(1);
		BaseSubscriber<String> reader = new BaseSubscriber<>() {

			@Override
			protected void hookOnSubscribe(Subscription subscription) {
				subscription.request(1);
			}

			@Override
			protected void hookOnNext(String value) {
				received.incrementAndGet();
			}

			@Override
			protected void hookOnComplete() {
				complete.countDown();
			}

		};
		stream(channel, "stream").subscribe(reader);
		await().until(() -> received.get() == 1);
		await().during(Duration.ofMillis(200)).until(() -> emitted.get() < 400);
		reader.requestUnbounded();
		assertThat(complete.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(received).hasValue(500);
	}

	@Test
	void publisherAnswersACallWithOneResponse() {
		ManagedChannel channel = serve(new Shop().unary((request, observer) -> ReactiveCalls
			.answer(Mono.delay(Duration.ofMillis(5)).thenReturn(request + " answered"), observer)));
		assertThat(unary(channel, "call").block(LONG)).isEqualTo("call answered");
	}

	@Test
	void stubInAnAnswerHasTheBudgetOnThreadsThatDoNotKnowTheCall() {
		ManagedChannel leaf = serve(new Shop().unary((request, observer) -> {
			observer.onNext(Budget.remaining().orElseThrow().toString());
			observer.onCompleted();
		}));
		ManagedChannel channel = serve(new Shop().serverStream((request, observer) -> {
			CompletableFuture<String> foreign = new CompletableFuture<>();
			ReactiveCalls.answer(Mono.fromFuture(foreign).flatMap((value) -> unary(leaf, "leaf")), observer);
			new Thread(() -> foreign.complete("")).start();
		}));
		String left = ClientCalls
			.blockingServerStreamingCall(channel, Shop.SERVER_STREAM, Loopback.within(5_005), "stream")
			.next();
		assertThat(Duration.parse(left)).isPositive().isLessThan(Duration.ofMillis(5_005));
	}

	@Test
	void errorOfAPublisherFailsTheCall() {
		ManagedChannel channel = serve(new Shop().serverStream((request, observer) -> ReactiveCalls
			.answer(Flux.just("first").concatWith(Flux.error(Status.DATA_LOSS.asRuntimeException())), observer)));
		assertThat(catchThrowable(() -> stream(channel, "stream").blockLast(LONG)))
			.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DATA_LOSS));
	}

	@Test
	void publisherIsDisposedWhenTheCallerLeaves() throws Exception {
		ManagedChannel channel = serve(new Shop().serverStream((request,
				observer) -> ReactiveCalls.answer(Flux.<String>never()
					.doOnSubscribe((subscription) -> this.reached.countDown())
					.doOnCancel(() -> this.cancelled.complete(null)), observer)));
		Disposable subscription = stream(channel, "stream").subscribe();
		assertThat(this.reached.await(10, TimeUnit.SECONDS)).isTrue();
		subscription.dispose();
		assertThat(this.cancelled).succeedsWithin(LONG);
	}

	@Test
	void methodThatMakesNoCallIsAnError() {
		BiConsumer<String, StreamObserver<String>> none = (request, responses) -> {
		};
		assertThat(catchThrowable(() -> ReactiveCalls.serverStreaming("x", none).blockLast(LONG)))
			.isInstanceOf(IllegalStateException.class)
			.hasMessageContaining("async stub");
	}

	@Test
	void everyResponseOfAStreamArrives() {
		ManagedChannel channel = serve(new Shop().serverStream((request, observer) -> {
			for (int i = 0; i < 500; i++) {
				observer.onNext(request + i);
			}
			observer.onCompleted();
		}));
		List<String> responses = stream(channel, "r").publishOn(Schedulers.parallel(), 7).collectList().block(LONG);
		assertThat(responses).hasSize(500).startsWith("r0", "r1").endsWith("r499");
	}

}
