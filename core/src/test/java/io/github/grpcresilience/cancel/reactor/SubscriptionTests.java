package io.github.grpcresilience.cancel.reactor;

import java.time.Duration;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.policy.Mode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

class SubscriptionTests {

	private static final int SEED = 20_260_519;

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final TestCall call = TestCall.begin();

	private final ExecutorService handlers = Executors.newCachedThreadPool();

	private CallSubscriptions subscriptions;

	@BeforeEach
	void install() {
		this.subscriptions = CallSubscriptions.install(this.resilience.work().canceller());
	}

	@AfterEach
	void end() {
		this.subscriptions.close();
		this.call.close();
		this.handlers.shutdownNow();
		this.resilience.close();
	}

	private <T> T in(Callable<T> handler) throws Exception {
		return this.call.call(handler);
	}

	private String block(Mono<String> publisher) throws Exception {
		return in(publisher::block);
	}

	private String seen() {
		CallScope scope = CallScope.current();
		return (scope == null) ? "nothing" : scope.isOf(this.call.record()) ? "the call" : "another call";
	}

	private WorkCounts.Sums counts() {
		return this.resilience.inspection().stoppedWork().sums(Work.SUBSCRIPTION);
	}

	@Test
	void everyOperatorSeesTheCallOnEveryScheduler() throws Exception {
		Queue<String> seen = new ConcurrentLinkedQueue<>();
		CompletableFuture<String> consumed = new CompletableFuture<>();
		Disposable subscription = in(() -> Mono.fromCallable(() -> seen.add(seen()))
			.subscribeOn(Schedulers.boundedElastic())
			.map((value) -> seen.add(seen()))
			.publishOn(Schedulers.parallel())
			.map((value) -> seen.add(seen()))
			.delayElement(Duration.ofMillis(3))
			.flatMap((value) -> Mono.fromCallable(() -> seen.add(seen())).subscribeOn(Schedulers.single()))
			.subscribe((value) -> consumed.complete(seen()), consumed::completeExceptionally));
		assertThat(consumed.get(20, TimeUnit.SECONDS)).isEqualTo("the call");
		assertThat(seen).hasSize(4).containsOnly("the call");
		await().until(subscription::isDisposed);
	}

	@Test
	void threadsOfSchedulersAreLeftAsTheyWereFound() throws Exception {
		in(() -> Flux.range(1, 100).publishOn(Schedulers.parallel()).map((value) -> seen()).blockLast());
		for (int i = 0; i < 20; i++) {
			assertThat(Mono.fromCallable(this::seen).subscribeOn(Schedulers.parallel()).block()).isEqualTo("nothing");
		}
	}

	@Test
	void blockedHandlerIsToldAndTheSourceIsCancelled() throws Exception {
		CountDownLatch subscribed = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		Future<Throwable> thrown = this.handlers.submit(() -> in(() -> catchThrowable(() -> Mono.never()
			.doOnSubscribe((subscription) -> subscribed.countDown())
			.doOnCancel(cancelled::countDown)
			.block())));
		assertThat(subscribed.await(20, TimeUnit.SECONDS)).isTrue();
		this.call.abandon();
		assertThat(Status.fromThrowable(thrown.get(20, TimeUnit.SECONDS)).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(cancelled.await(20, TimeUnit.SECONDS)).isTrue();
		assertThat(counts().cancelled()).isEqualTo(1);
	}

	/** Whoever subscribed to it may wait, and not the call. */
	@Test
	void whatIsSubscribedToByOthersGoesOn() throws Exception {
		Sinks.Many<String> source = Sinks.many().multicast().onBackpressureBuffer();
		CompletableFuture<String> subscribed = new CompletableFuture<>();
		CompletableFuture<String> future = in(() -> source.asFlux().next().toFuture());
		Disposable subscription = in(() -> source.asFlux().subscribe(subscribed::complete));
		this.call.abandon();
		source.tryEmitNext("later").orThrow();
		assertThat(future.get(20, TimeUnit.SECONDS)).isEqualTo("later");
		assertThat(subscribed.get(20, TimeUnit.SECONDS)).isEqualTo("later");
		subscription.dispose();
		assertThat(counts().cancelled()).isZero();
	}

	/** The first caller's end must not be what everybody gets from then on. */
	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void cachedPublisherGoesOnForTheOthers(boolean onAnotherThread) throws Exception {
		CountDownLatch loading = new CountDownLatch(1);
		Sinks.One<String> token = Sinks.one();
		Mono<String> source = Mono.fromRunnable(loading::countDown).then(token.asMono());
		Mono<String> cached = (onAnotherThread ? source.subscribeOn(Schedulers.boundedElastic()) : source).cache();
		Future<Throwable> first = this.handlers.submit(() -> in(() -> catchThrowable(cached::block)));
		assertThat(loading.await(20, TimeUnit.SECONDS)).isTrue();
		await().until(() -> this.call.listeners() == 1);
		TestCall other = TestCall.begin();
		Future<String> second = this.handlers.submit(() -> other.call(cached::block));
		this.call.abandon();
		assertThat(Status.fromThrowable(first.get(20, TimeUnit.SECONDS)).getCode()).isEqualTo(Status.Code.CANCELLED);
		token.tryEmitValue("token").orThrow();
		assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo("token");
		assertThat(TestCall.begin().<String>call(cached::block)).isEqualTo("token");
	}

	/** The first caller's time must not be what everybody is short of. */
	@Test
	void whatIsKeptForOthersSeesNoCallOnOtherThreads() throws Exception {
		assertKeptForOthersWithoutCall();
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void whatReactorPropagatesByItselfChangesNothing(boolean before) throws Exception {
		this.subscriptions.close();
		if (before) {
			Hooks.enableAutomaticContextPropagation();
		}
		try (CallSubscriptions again = CallSubscriptions.install(this.resilience.work().canceller())) {
			assertThat(again).isNotNull();
			Hooks.enableAutomaticContextPropagation();
			assertKeptForOthersWithoutCall();
			everyOperatorSeesTheCallOnEveryScheduler();
			threadsOfSchedulersAreLeftAsTheyWereFound();
			signalsFromForeignThreadsCarryTheCall();
		}
		finally {
			Hooks.disableAutomaticContextPropagation();
		}
	}

	private void assertKeptForOthersWithoutCall() throws Exception {
		Mono<String> seen = Mono.fromCallable(this::seen).subscribeOn(Schedulers.boundedElastic());
		assertThat(block(seen)).isEqualTo("the call");
		assertThat(block(seen.cache().map((value) -> value))).isEqualTo("nothing");
		assertThat(block(seen.cache(Duration.ofMinutes(1)))).isEqualTo("nothing");
		assertThat(block(seen.cacheInvalidateIf((value) -> false))).isEqualTo("nothing");
		assertThat(block(seen.cacheInvalidateWhen((value) -> Mono.never()))).isEqualTo("nothing");
		assertThat(block(seen.share())).isEqualTo("nothing");
		assertThat(block(seen.flux().share().next())).isEqualTo("nothing");
		assertThat(block(seen.flux().replay().autoConnect().next())).isEqualTo("nothing");
		assertThat(block(Mono.fromFuture(() -> seen.toFuture()))).isEqualTo("nothing");
	}

	private void signalsFromForeignThreadsCarryTheCall() throws Exception {
		CompletableFuture<String> source = new CompletableFuture<>();
		CompletableFuture<String> mapped = new CompletableFuture<>();
		Future<String> blocked = this.handlers
			.submit(() -> in(() -> Mono.fromFuture(source).doOnNext((value) -> mapped.complete(seen())).block()));
		await().until(() -> this.call.listeners() == 1);
		new Thread(() -> source.complete("")).start();
		assertThat(mapped.get(20, TimeUnit.SECONDS)).isEqualTo("the call");
		assertThat(blocked.get(20, TimeUnit.SECONDS)).isEmpty();
	}

	@Test
	void blockInAChainOfOthersIsNotTheCalls() throws Exception {
		Sinks.One<String> inner = Sinks.one();
		CountDownLatch loading = new CountDownLatch(1);
		Mono<String> cached = Mono.fromCallable(() -> {
			loading.countDown();
			return inner.asMono().block();
		}).subscribeOn(Schedulers.boundedElastic()).cache();
		Future<Throwable> first = this.handlers.submit(() -> in(() -> catchThrowable(cached::block)));
		assertThat(loading.await(20, TimeUnit.SECONDS)).isTrue();
		await().until(() -> this.call.listeners() == 1);
		this.call.abandon();
		assertThat(first.get(20, TimeUnit.SECONDS)).isNotNull();
		inner.tryEmitValue("loaded").orThrow();
		assertThat(cached.block(Duration.ofSeconds(20))).isEqualTo("loaded");
	}

	/** It may be what releases a lock. */
	@Test
	void whatWasSubscribedToJustBeforeTheEndHasAWhile() throws Exception {
		Sinks.One<String> source = Sinks.one();
		Future<String> blocked = this.handlers.submit(() -> in(() -> source.asMono().block()));
		await().until(() -> this.call.listeners() == 1);
		TestCall young = TestCall.begin();
		Future<String> cleaning = this.handlers.submit(() -> young.call(() -> source.asMono().block()));
		await().until(() -> young.listeners() == 1);
		young.abandonYoung();
		source.tryEmitValue("cleaned").orThrow();
		assertThat(cleaning.get(20, TimeUnit.SECONDS)).isEqualTo("cleaned");
		assertThat(blocked.get(20, TimeUnit.SECONDS)).isEqualTo("cleaned");
		Future<Throwable> stays = this.handlers.submit(() -> {
			TestCall another = TestCall.begin();
			this.handlers.execute(() -> {
				await().until(() -> another.listeners() == 1);
				another.abandonYoung();
			});
			return another.call(() -> catchThrowable(() -> Mono.never().block()));
		});
		assertThat(Status.fromThrowable(stays.get(20, TimeUnit.SECONDS)).getCode()).isEqualTo(Status.Code.CANCELLED);
	}

	@Test
	void sourceThatNeverStopsEmittingOnTheHandlersThreadIsStopped() throws Exception {
		CountDownLatch started = new CountDownLatch(1);
		Future<Throwable> thrown = this.handlers.submit(() -> in(() -> catchThrowable(
				() -> Flux.generate((sink) -> sink.next(7)).doOnNext((value) -> started.countDown()).blockLast())));
		assertThat(started.await(20, TimeUnit.SECONDS)).isTrue();
		this.call.abandon();
		assertThat(Status.fromThrowable(thrown.get(20, TimeUnit.SECONDS)).getCode()).isEqualTo(Status.Code.CANCELLED);
	}

	@Test
	void subscriptionOfAnAnsweredCallGoesOn() throws Exception {
		Sinks.One<String> source = Sinks.one();
		Future<String> blocked = this.handlers.submit(() -> in(() -> source.asMono().block()));
		await().until(() -> this.call.listeners() == 1);
		this.call.answer();
		source.tryEmitValue("later").orThrow();
		assertThat(blocked.get(20, TimeUnit.SECONDS)).isEqualTo("later");
	}

	/** What releases connections and locks comes in finally blocks. */
	@Test
	void whatBeginsAfterTheEndIsNeverRefused() throws Exception {
		this.call.abandon();
		for (int i = 0; i < 300; i++) {
			assertThat(in(() -> Mono.fromCallable(() -> "released").hide().block())).isEqualTo("released");
		}
		assertThat(counts().refused()).isZero();
	}

	@Test
	void whatWasScheduledInACallGoesOnWhenTheCallIsGone() throws Exception {
		AtomicReference<String> cleaned = new AtomicReference<>();
		CountDownLatch gone = new CountDownLatch(1);
		in(() -> Mono.fromRunnable(() -> Schedulers.single().schedule(() -> {
			try {
				assertThat(gone.await(20, TimeUnit.SECONDS)).isTrue();
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
			Mono.just("cleaned").hide().subscribe(cleaned::set);
		}, 0, TimeUnit.SECONDS)).subscribeOn(Schedulers.boundedElastic()).block());
		this.call.abandon();
		gone.countDown();
		await().untilAsserted(() -> assertThat(cleaned).hasValue("cleaned"));
	}

	@Test
	void outsideOfACallNothingIsAdded() {
		AtomicReference<Subscription> received = new AtomicReference<>();
		Subscriber<Integer> subscriber = new BaseSubscriber<>() {

			@Override
			protected void hookOnSubscribe(Subscription subscription) {
				received.set(subscription);
			}

		};
		Flux.range(1, 3).subscribe(subscriber);
		assertThat(received.get().getClass().getName()).startsWith("reactor.core.publisher.FluxRange");
	}

	@Test
	void chainsWithinAChainHaveNoGuardOfTheirOwn() throws Exception {
		AtomicInteger most = new AtomicInteger();
		in(() -> Flux.range(1, 10)
			.flatMap((value) -> Mono.just(value).delayElement(Duration.ofMillis(2)))
			.doOnNext((value) -> most.accumulateAndGet(this.call.listeners(), Math::max))
			.blockLast());
		assertThat(most).hasValue(1);
	}

	@Test
	void finishedSubscriptionsLeaveNoListener() throws Exception {
		in(() -> Mono.just(1).hide().block());
		in(() -> catchThrowable(() -> Mono.error(new IllegalStateException("own")).hide().block()));
		assertThat(in(() -> Flux.range(1, 5).hide().toStream().limit(2).toList())).containsExactly(1, 2);
		assertThat(this.call.listeners()).isZero();
	}

	@Test
	void observeChangesNothingAndCounts() throws Exception {
		this.subscriptions.close();
		try (GrpcResilience observing = GrpcResilience.builder().mode(Mode.OBSERVE).build();
				CallSubscriptions observed = CallSubscriptions.install(observing.work().canceller())) {
			assertThat(observed).isNotNull();
			Sinks.One<String> source = Sinks.one();
			Future<String> told = this.handlers
				.submit(() -> in(() -> source.asMono().publishOn(Schedulers.single()).map((value) -> seen()).block()));
			await().until(() -> this.call.listeners() == 1);
			this.call.abandon();
			source.tryEmitValue("").orThrow();
			assertThat(told.get(20, TimeUnit.SECONDS)).isEqualTo("nothing");
			assertThat(observing.inspection().stoppedWork().sums(Work.SUBSCRIPTION).cancelled()).isEqualTo(1);
		}
	}

	@Test
	void hooksGoWithTheLastApplication() throws Exception {
		try (GrpcResilience second = GrpcResilience.builder().build()) {
			CallSubscriptions another = CallSubscriptions.install(second.work().canceller());
			this.subscriptions.close();
			this.subscriptions.close();
			assertThat(isCarried()).isTrue();
			Future<Throwable> blocked = this.handlers
				.submit(() -> in(() -> catchThrowable(() -> Mono.never().block())));
			await().until(() -> this.call.listeners() == 1);
			this.call.abandon();
			assertThat(blocked.get(20, TimeUnit.SECONDS)).isNotNull();
			assertThat(second.inspection().stoppedWork().sums(Work.SUBSCRIPTION).cancelled()).isEqualTo(1);
			another.close();
			assertThat(in(() -> Mono.just("untouched").hide().block())).isEqualTo("untouched");
			assertThat(isCarried()).isFalse();
		}
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void propagationIsAsTheApplicationWantsIt(boolean propagated) {
		this.subscriptions.close();
		if (propagated) {
			Hooks.enableAutomaticContextPropagation();
		}
		try {
			CallSubscriptions again = CallSubscriptions.install(this.resilience.work().canceller());
			assertThat(Hooks.isAutomaticContextPropagationEnabled()).isEqualTo(propagated);
			again.close();
			assertThat(Hooks.isAutomaticContextPropagationEnabled()).isEqualTo(propagated);
		}
		finally {
			Hooks.disableAutomaticContextPropagation();
		}
	}

	private static boolean isCarried() {
		TestCall carried = TestCall.begin();
		CallScope outer = carried.scope().enter();
		try {
			return Boolean.TRUE
				.equals(Mono.fromCallable(() -> CallScope.current() != null).subscribeOn(Schedulers.single()).block());
		}
		finally {
			CallScope.leave(outer);
		}
	}

	/**
	 * The source completes, the subscriber disposes, and the call ends, about at once.
	 */
	@Test
	void subscriberIsToldOnceWhoeverEndsFirst() throws Exception {
		Random random = new Random(SEED);
		AtomicInteger failed = new AtomicInteger();
		AtomicInteger completed = new AtomicInteger();
		AtomicInteger broken = new AtomicInteger();
		for (int i = 0; i < 5_000; i++) {
			TestCall one = TestCall.begin();
			Sinks.Many<Integer> source = Sinks.many().unicast().onBackpressureBuffer();
			Told told = new Told(broken);
			// Not one that hooks know as awaited: the guard itself is put around it.
			source.asFlux().subscribe(new GuardedSubscriber<>(told, one.scope(), this.resilience.work().canceller()));
			int order = random.nextInt(3);
			Future<?> emitter = this.handlers.submit(() -> {
				for (int value = 0; value < 5; value++) {
					source.tryEmitNext(value);
				}
				if (order != 0) {
					source.tryEmitComplete();
				}
			});
			Future<?> ender = this.handlers.submit((order == 1) ? told::dispose : () -> spin(random.nextInt(20_000)));
			spin(random.nextInt(20_000));
			one.abandon();
			emitter.get(20, TimeUnit.SECONDS);
			ender.get(20, TimeUnit.SECONDS);
			if (order == 0) {
				assertThat(told.ended.get(20, TimeUnit.SECONDS)).isEqualTo("failed");
			}
			if (order == 2) {
				(told.ended.get(20, TimeUnit.SECONDS).equals("failed") ? failed : completed).incrementAndGet();
			}
		}
		assertThat(broken).hasValue(0);
		assertThat(failed.get()).isPositive();
		assertThat(completed.get()).isPositive();
	}

	private static void spin(long nanos) {
		long end = System.nanoTime() + nanos;
		while (System.nanoTime() < end) {
			Thread.onSpinWait();
		}
	}

	private static final class Told extends BaseSubscriber<Integer> {

		private final AtomicInteger broken;

		private final AtomicInteger signals = new AtomicInteger();

		private final CompletableFuture<String> ended = new CompletableFuture<>();

		private int next;

		Told(AtomicInteger broken) {
			this.broken = broken;
		}

		@Override
		protected void hookOnNext(Integer value) {
			check(value == this.next++ && !this.ended.isDone());
		}

		@Override
		protected void hookOnError(Throwable thrown) {
			check(this.ended.complete("failed") && Status.fromThrowable(thrown).getCode() == Status.Code.CANCELLED);
		}

		@Override
		protected void hookOnComplete() {
			check(this.ended.complete("completed"));
		}

		/** One at a time, in order, and nothing after the end. */
		private void check(boolean right) {
			if (this.signals.incrementAndGet() != 1 || !right) {
				this.broken.incrementAndGet();
			}
			this.signals.decrementAndGet();
		}

	}

}
