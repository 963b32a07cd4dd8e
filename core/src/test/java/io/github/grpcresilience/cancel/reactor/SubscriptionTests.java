package io.github.grpcresilience.cancel.reactor;

import java.time.Duration;
import java.util.List;
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

import io.grpc.Context;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
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
		this.subscriptions = CallSubscriptions.install(this.resilience.canceller());
	}

	@AfterEach
	void end() {
		this.subscriptions.close();
		this.call.close();
		this.handlers.shutdownNow();
		this.resilience.close();
	}

	private <T> T in(Callable<T> handler) throws Exception {
		return this.call.context().call(handler);
	}

	private static String seen() {
		return String.valueOf(TestCall.VALUE.get());
	}

	private WorkCounts.Sums counts() {
		return this.resilience.stoppedWork().sums(Work.SUBSCRIPTION);
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
		assertThat(consumed.get(20, TimeUnit.SECONDS)).isEqualTo("of the call");
		assertThat(seen).hasSize(4).containsOnly("of the call");
		await().until(subscription::isDisposed);
	}

	@Test
	void signalsFromForeignThreadsCarryTheCall() throws Exception {
		CompletableFuture<String> source = new CompletableFuture<>();
		CompletableFuture<String> consumed = new CompletableFuture<>();
		CompletableFuture<String> mapped = new CompletableFuture<>();
		Disposable subscription = in(() -> Mono.fromFuture(source)
			.doOnNext((value) -> mapped.complete(seen()))
			.subscribe((value) -> consumed.complete(seen())));
		new Thread(() -> source.complete("")).start();
		assertThat(mapped.get(20, TimeUnit.SECONDS)).isEqualTo("of the call");
		assertThat(consumed.get(20, TimeUnit.SECONDS)).isEqualTo("of the call");
		assertThat(subscription.isDisposed()).isTrue();
	}

	@Test
	void threadsOfSchedulersAreLeftAsTheyWereFound() throws Exception {
		in(() -> Flux.range(1, 100).publishOn(Schedulers.parallel()).map((value) -> seen()).blockLast());
		for (int i = 0; i < 20; i++) {
			assertThat(Mono.fromCallable(SubscriptionTests::seen).subscribeOn(Schedulers.parallel()).block())
				.isEqualTo("null");
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

	@Test
	void everyOtherSubscriberIsToldToo() throws Exception {
		Sinks.Many<String> source = Sinks.many().unicast().onBackpressureBuffer();
		CompletableFuture<Throwable> told = new CompletableFuture<>();
		CompletableFuture<String> first = new CompletableFuture<>();
		Disposable subscription = in(() -> source.asFlux()
			.flatMap((value) -> Flux.just(value).concatWith(Flux.never()))
			.subscribe(first::complete, told::complete));
		source.tryEmitNext("first").orThrow();
		assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("first");
		this.call.abandon();
		assertThat(Status.fromThrowable(told.get(20, TimeUnit.SECONDS)).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(subscription.isDisposed()).isTrue();
		await().until(() -> source.currentSubscriberCount() == 0);
		assertThat(counts().cancelled()).isEqualTo(1);
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
		CompletableFuture<String> told = in(() -> source.asMono().map((value) -> value + seen()).toFuture());
		this.call.answer();
		source.tryEmitValue("later ").orThrow();
		assertThat(told.get(20, TimeUnit.SECONDS)).isEqualTo("later of the call");
	}

	@Test
	void subscriptionOfAnAbandonedCallIsRefused() throws Exception {
		this.call.abandon();
		AtomicInteger subscribed = new AtomicInteger();
		Throwable thrown = in(
				() -> catchThrowable(() -> Mono.fromCallable(subscribed::incrementAndGet).hide().block()));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(subscribed).hasValue(0);
		assertThat(counts().refused()).isEqualTo(1);
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
			.doOnNext((value) -> most.accumulateAndGet(TestCall.listeners(cancellable()), Math::max))
			.blockLast());
		assertThat(most).hasValue(1);
	}

	private Context cancellable() {
		try {
			return this.call.workContext(in(Context::current), (begun) -> {
				throw new IllegalStateException("there is no Context of work");
			});
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Test
	void finishedSubscriptionsLeaveNoListener() throws Exception {
		in(() -> Mono.just(1).hide().block());
		in(() -> catchThrowable(() -> Mono.error(new IllegalStateException("own")).hide().block()));
		Disposable disposed = in(() -> Mono.never().subscribe());
		assertThat(TestCall.listeners(cancellable())).isEqualTo(1);
		disposed.dispose();
		assertThat(TestCall.listeners(cancellable())).isZero();
	}

	@Test
	void observeChangesNothingAndCounts() throws Exception {
		this.subscriptions.close();
		try (GrpcResilience observing = GrpcResilience.builder().mode(Mode.OBSERVE).build();
				CallSubscriptions observed = CallSubscriptions.install(observing.canceller())) {
			assertThat(observed).isNotNull();
			Sinks.One<String> source = Sinks.one();
			CompletableFuture<String> told = in(
					() -> source.asMono().publishOn(Schedulers.single()).map((value) -> seen()).toFuture());
			this.call.abandon();
			source.tryEmitValue("").orThrow();
			assertThat(told.get(20, TimeUnit.SECONDS)).isEqualTo("null");
			assertThat(in(() -> Mono.just("late").hide().block())).isEqualTo("late");
			WorkCounts.Sums sums = observing.stoppedWork().sums(Work.SUBSCRIPTION);
			assertThat(List.of(sums.cancelled(), sums.refused())).containsExactly(1L, 1L);
		}
	}

	@Test
	void hooksGoWithTheLastApplication() throws Exception {
		try (GrpcResilience second = GrpcResilience.builder().build()) {
			CallSubscriptions another = CallSubscriptions.install(second.canceller());
			this.subscriptions.close();
			this.subscriptions.close();
			assertThat(isCarried()).isTrue();
			this.call.abandon();
			assertThat(in(() -> catchThrowable(() -> Mono.just("").hide().block()))).isNotNull();
			assertThat(second.stoppedWork().sums(Work.SUBSCRIPTION).refused()).isEqualTo(1);
			another.close();
			assertThat(in(() -> Mono.just("untouched").hide().block())).isEqualTo("untouched");
			assertThat(isCarried()).isFalse();
		}
	}

	@Test
	void propagationThatTheApplicationEnabledStays() {
		this.subscriptions.close();
		Hooks.enableAutomaticContextPropagation();
		try {
			CallSubscriptions.install(this.resilience.canceller()).close();
			assertThat(isCarried()).isTrue();
		}
		finally {
			Hooks.disableAutomaticContextPropagation();
		}
		assertThat(isCarried()).isFalse();
	}

	private static boolean isCarried() {
		Context context = Context.ROOT.withValue(TestCall.VALUE, "carried");
		Context previous = context.attach();
		try {
			return "carried"
				.equals(Mono.fromCallable(SubscriptionTests::seen).subscribeOn(Schedulers.single()).block());
		}
		finally {
			context.detach(previous);
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
			one.run(() -> source.asFlux().subscribe((Subscriber<Integer>) told));
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
