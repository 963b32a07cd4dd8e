package io.github.grpcresilience.internal.cancel.http;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;

import static org.assertj.core.api.Assertions.assertThat;

class GuardedBodyTests {

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final TestCall context = TestCall.begin();

	private final Recorder recorder = new Recorder();

	private final AtomicInteger cancels = new AtomicInteger();

	private final List<Long> demands = new CopyOnWriteArrayList<>();

	@AfterEach
	void close() {
		this.resilience.close();
	}

	@Test
	void stopBeforeTheBodyBeginsFailsItAndRefusesIt() throws Exception {
		GuardedBody<String> body = body();
		this.context.abandon();
		body.stop();
		assertThat(this.recorder.signals).containsExactly("subscribe", "error");
		body.onSubscribe(new Cancellable());
		body.onNext(List.of());
		body.onComplete();
		assertThat(this.recorder.signals).containsExactly("subscribe", "error");
		assertThat(this.cancels).hasValue(1);
	}

	@Test
	void stopFailsTheBodyOnce() throws Exception {
		GuardedBody<String> body = body();
		body.onSubscribe(new Cancellable());
		body.onNext(List.of());
		this.context.abandon();
		body.stop();
		body.stop();
		body.onNext(List.of());
		body.onError(new IOException("closed"));
		assertThat(this.recorder.signals).containsExactly("subscribe", "next", "error");
		assertThat(this.cancels).hasValue(1);
	}

	@Test
	void connectionOfItsOwnIsEndedByWhoeverReadsIt() throws Exception {
		GuardedBody<String> body = new GuardedBody<>(this.recorder,
				this.context.call(() -> this.resilience.work().httpExchanges().begin()), true);
		body.onSubscribe(new Cancellable());
		this.context.abandon();
		body.stop();
		assertThat(this.recorder.signals).containsExactly("subscribe", "error");
		assertThat(this.demands).containsExactly(-1L);
		assertThat(this.cancels).hasValue(0);
	}

	@Test
	void stopAfterTheEndDoesNothing() throws Exception {
		GuardedBody<String> body = body();
		body.onSubscribe(new Cancellable());
		body.onComplete();
		body.stop();
		assertThat(this.recorder.signals).containsExactly("subscribe", "complete");
		assertThat(this.cancels).hasValue(0);
	}

	@Test
	@Timeout(20)
	void failureWaitsForTheSignalThatIsBeingReceived() throws Exception {
		GuardedBody<String> body = body();
		body.onSubscribe(new Cancellable());
		CountDownLatch received = new CountDownLatch(1);
		CountDownLatch goOn = new CountDownLatch(1);
		this.recorder.onNext = () -> {
			received.countDown();
			goOn.await();
			return null;
		};
		CompletableFuture<Void> delivering = CompletableFuture.runAsync(() -> body.onNext(List.of()));
		received.await();
		this.context.abandon();
		body.stop();
		assertThat(this.recorder.signals).containsExactly("subscribe");
		goOn.countDown();
		delivering.get(10, TimeUnit.SECONDS);
		assertThat(this.recorder.signals).containsExactly("subscribe", "next", "error");
	}

	@Test
	@Timeout(60)
	void racesEndInExactlyOneEnd() throws Exception {
		for (int i = 0; i < 3_000; i++) {
			Recorder one = new Recorder();
			TestCall call = TestCall.begin();
			CallExchange exchange = call.call(() -> this.resilience.work().httpExchanges().begin());
			GuardedBody<String> body = new GuardedBody<>(one, exchange, false);
			exchange.stopWith(body::stop);
			CyclicBarrier start = new CyclicBarrier(2);
			CompletableFuture<Void> publisher = CompletableFuture.runAsync(() -> {
				meet(start);
				body.onSubscribe(new Cancellable());
				body.onNext(List.of());
				body.onNext(List.of());
				body.onComplete();
			});
			meet(start);
			call.abandon();
			publisher.get(10, TimeUnit.SECONDS);
			one.ended.get(10, TimeUnit.SECONDS);
			assertThat(one.signals).startsWith("subscribe").filteredOn((signal) -> !signal.equals("next")).hasSize(2);
			assertThat(one.overlaps).hasValue(0);
		}
	}

	private static void meet(CyclicBarrier barrier) {
		try {
			barrier.await();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	private GuardedBody<String> body() throws Exception {
		return new GuardedBody<>(this.recorder, this.context.call(() -> this.resilience.work().httpExchanges().begin()),
				false);
	}

	private final class Cancellable implements Subscription {

		@Override
		public void request(long count) {
			GuardedBodyTests.this.demands.add(count);
		}

		@Override
		public void cancel() {
			GuardedBodyTests.this.cancels.incrementAndGet();
		}

	}

	private static final class Recorder implements BodySubscriber<String> {

		private final List<String> signals = new ArrayList<>();

		private final AtomicInteger busy = new AtomicInteger();

		private final AtomicInteger overlaps = new AtomicInteger();

		private final CompletableFuture<String> ended = new CompletableFuture<>();

		private Callable<Void> onNext = () -> null;

		private void record(String signal) {
			if (this.busy.getAndIncrement() != 0) {
				this.overlaps.incrementAndGet();
			}
			try {
				if (signal.equals("next")) {
					this.onNext.call();
				}
			}
			catch (Exception ex) {
				throw new IllegalStateException(ex);
			}
			this.signals.add(signal);
			this.busy.decrementAndGet();
		}

		@Override
		public CompletionStage<String> getBody() {
			return this.ended;
		}

		@Override
		public void onSubscribe(Subscription subscription) {
			record("subscribe");
		}

		@Override
		public void onNext(List<ByteBuffer> item) {
			record("next");
		}

		@Override
		public void onError(Throwable thrown) {
			record("error");
			this.ended.complete("error");
		}

		@Override
		public void onComplete() {
			record("complete");
			this.ended.complete("complete");
		}

	}

}
