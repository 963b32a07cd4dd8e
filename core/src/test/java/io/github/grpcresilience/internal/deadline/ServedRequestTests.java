package io.github.grpcresilience.internal.deadline;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

class ServedRequestTests {

	private final Loopback loopback = new Loopback();

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());

	private final ServedRequests requests = this.resilience.work().requests();

	private final ExecutorService threads = Executors.newFixedThreadPool(3);

	@AfterEach
	void end() {
		this.loopback.close();
		this.threads.shutdownNow();
	}

	@Test
	void callsInheritWhatIsLeft() throws Exception {
		ManagedChannel channel = serve(new Shop().unary((request, observer) -> Shop
			.echo(String.valueOf(Budget.remaining().orElseThrow().toMillis()), observer)));
		ServedRequest request = this.requests.open(Duration.ofMillis(1_234));
		String left = request.scope().call(() -> Loopback.call(channel, CallOptions.DEFAULT, ""));
		assertThat(Long.parseLong(left)).isBetween(1L, 1_234L - 61);
		assertThat(request.end()).isTrue();
	}

	@Test
	void requestWithoutBudgetHasNoDeadline() throws Exception {
		ServedRequest request = this.requests.open();
		assertThat(request.remaining(TimeUnit.MILLISECONDS)).isEqualTo(Long.MAX_VALUE);
		assertThat(request.scope().<Optional<Duration>>call(Budget::remaining)).isEmpty();
		request.end();
	}

	@Test
	void endOfTheBudgetStopsWorkWithATimeout() throws Exception {
		ServedRequest request = this.requests.open(Duration.ofMillis(53));
		awaitEnd(request);
		assertThat(request.record().isTimedOut()).isTrue();
		assertThat(request.hasEnded()).isFalse();
		assertThat(request.end()).isTrue();
		assertThat(request.record().isAnswered()).isFalse();
	}

	@Test
	void clientThatLeavesCancelsTheCallsMadeForIt() throws Exception {
		CountDownLatch arrived = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		ManagedChannel channel = serve(new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			((ServerCallStreamObserver<?>) observer).setOnCancelHandler(cancelled::countDown);
			arrived.countDown();
		}));
		ServedRequest request = this.requests.open(Duration.ofSeconds(23));
		ListenableFuture<String> response = request.scope()
			.call(() -> ClientCalls.futureUnaryCall(channel.newCall(Shop.UNARY, CallOptions.DEFAULT), "slow"));
		assertThat(arrived.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(request.leave()).isTrue();
		assertThat(cancelled.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(response).failsWithin(Duration.ofSeconds(10));
		assertThat(request.record().hasEnded()).isTrue();
		assertThat(request.record().isTimedOut()).isFalse();
	}

	@Test
	void callThatNobodyWaitedForOutlivesTheAnswer() throws Exception {
		CompletableFuture<StreamObserver<String>> arrived = new CompletableFuture<>();
		ManagedChannel channel = serve(new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			arrived.complete(observer);
		}));
		ServedRequest request = this.requests.open(Duration.ofSeconds(23));
		ListenableFuture<String> response = request.scope()
			.call(() -> ClientCalls.futureUnaryCall(channel.newCall(Shop.UNARY, CallOptions.DEFAULT), "audit"));
		StreamObserver<String> observer = arrived.get(10, TimeUnit.SECONDS);
		assertThat(request.end()).isTrue();
		Shop.echo("audited", observer);
		assertThat(response.get(10, TimeUnit.SECONDS)).isEqualTo("audited");
	}

	@Test
	void budgetThatPassesAfterTheAnswerStopsNothing() throws Exception {
		ServedRequest request = this.requests.open(Duration.ofMillis(41));
		CompletableFuture<Boolean> ran = new CompletableFuture<>();
		CountDownLatch passed = new CountDownLatch(1);
		request.scope().run(() -> this.resilience.work().executor(this.threads).execute(() -> {
			awaitUninterruptibly(passed);
			this.resilience.work().executor(this.threads).execute(() -> ran.complete(Budget.remaining().isPresent()));
		}));
		assertThat(request.end()).isTrue();
		await().until(() -> request.remaining(TimeUnit.NANOSECONDS) < 0);
		passed.countDown();
		assertThat(ran.get(10, TimeUnit.SECONDS)).isFalse();
		assertThat(request.record().hasEnded()).isFalse();
	}

	@Test
	void budgetOfWhatTheRequestIsMadeForStays() throws Exception {
		ServedRequest outer = this.requests.open(Duration.ofMillis(777));
		ServedRequest inner = outer.scope().call(() -> this.requests.open(Duration.ofSeconds(19)));
		assertThat(inner.remaining(TimeUnit.MILLISECONDS)).isBetween(-10_000L, 777L);
		inner.end();
		outer.end();
	}

	@ParameterizedTest
	@ValueSource(longs = { 0, -7 })
	void budgetMustBePositive(long millis) {
		assertThatIllegalArgumentException().isThrownBy(() -> this.requests.open(Duration.ofMillis(millis)));
		assertThat(this.requests.inFlight()).isZero();
	}

	@Test
	@Timeout(60)
	void endsOnceWhoeverRaces() throws Exception {
		Random random = new Random(20_261_125);
		AtomicInteger ends = new AtomicInteger();
		int count = 5_000;
		List<Future<?>> racers = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			ServedRequest request = this.requests.open(Duration.ofNanos(1 + random.nextInt(3_000_000)));
			racers.add(this.threads.submit(() -> count(request.end(), ends)));
			racers.add(this.threads.submit(() -> count(request.leave(), ends)));
			racers.add(this.threads.submit(request::timeOut));
		}
		for (Future<?> racer : racers) {
			racer.get();
		}
		assertThat(ends).hasValue(count);
		assertThat(this.requests.inFlight()).isZero();
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
	}

	private static void count(boolean ended, AtomicInteger ends) {
		if (ended) {
			ends.incrementAndGet();
		}
	}

	private static void awaitEnd(ServedRequest request) throws Exception {
		CountDownLatch ended = new CountDownLatch(1);
		request.record().listen((record) -> ended.countDown());
		assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
	}

	private static void awaitUninterruptibly(CountDownLatch latch) {
		try {
			assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private ManagedChannel serve(Shop shop) {
		ManagedChannel channel = this.loopback.channel(this.loopback.serve(this.resilience, shop), this.resilience,
				"shop");
		Loopback.warmUp(channel);
		return channel;
	}

}
