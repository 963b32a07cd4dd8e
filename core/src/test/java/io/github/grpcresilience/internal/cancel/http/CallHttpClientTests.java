package io.github.grpcresilience.internal.cancel.http;

import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

import io.grpc.Channel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts.Sums;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.test.HttpPeer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CallHttpClientTests {

	private final Loopback loopback = new Loopback();

	private final Deque<HttpPeer> open = new ArrayDeque<>();

	private final HttpPeer peer = HttpPeer.start();

	private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());

	private final HttpClient plain = HttpClient.newHttpClient();

	private final HttpClient client = this.resilience.work().httpClient(this.plain);

	@AfterEach
	void close() {
		this.timer.shutdownNow();
		this.open.forEach(HttpPeer::close);
		this.peer.close();
		this.loopback.close();
	}

	static Stream<Arguments> reads() {
		return Stream.of(Read.values())
			.flatMap((read) -> Stream.of("connect", "/silent", "/stall", "/trickle")
				.map((where) -> Arguments.of(read, where)));
	}

	@ParameterizedTest
	@MethodSource("reads")
	void deadlineEndsTheExchange(Read read, String where) throws Exception {
		URI target = target(where);
		try (TestCall context = TestCall.begin().timingOutAfter(230, TimeUnit.MILLISECONDS, this.timer)) {
			Throwable thrown = run(context, read, target);
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			assertThat(chain(thrown)).hasAtLeastOneElementOfType(HttpTimeoutException.class);
			endedEverywhere(1);
		}
	}

	@ParameterizedTest
	@MethodSource("reads")
	void cancellationEndsTheExchange(Read read, String where) throws Exception {
		URI target = target(where);
		try (TestCall context = TestCall.begin()) {
			after(170, () -> context.abandon());
			Throwable thrown = run(context, read, target);
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
			endedEverywhere(1);
		}
	}

	@ParameterizedTest
	@EnumSource
	void requestOfAnAbandonedCallIsNotSent(Read read) throws Exception {
		TestCall context = TestCall.begin();
		context.abandon();
		context.useUpGrace(Work.HTTP_EXCHANGE);
		Throwable thrown = run(context, read, this.peer.uri("/any"));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(this.peer.accepted()).isZero();
		assertThat(counts()).isEqualTo(new Sums(1, 0, 0));
	}

	/** It may be what releases a lock. */
	@ParameterizedTest
	@EnumSource
	void requestThatCleansUpAfterTheEndIsSent(Read read) throws Exception {
		TestCall context = TestCall.begin();
		context.abandon();
		assertThat(context.<String>call(() -> read.read(this.client, this.peer.uri("/any")))).isEqualTo("/any");
		Throwable thrown = run(context, read, this.peer.uri("/silent"));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
		endedEverywhere(1);
	}

	@ParameterizedTest
	@EnumSource
	void requestWithinItsCallIsAnswered(Read read) throws Exception {
		try (TestCall context = TestCall.begin().timingOutAfter(30, TimeUnit.SECONDS, this.timer)) {
			assertThat(context.<String>call(() -> read.read(this.client, this.peer.uri("/any")))).isEqualTo("/any");
		}
		assertThat(counts()).isEqualTo(new Sums(0, 0, 0));
	}

	@ParameterizedTest
	@EnumSource
	void responseWithoutABodyEndsTheExchange(Read read) throws Exception {
		try (TestCall context = TestCall.begin()) {
			assertThat(context.call(() -> read.read(this.client, this.peer.uri("/redirect/elsewhere")))).isEmpty();
		}
		assertThat(counts()).isEqualTo(new Sums(0, 0, 0));
	}

	@Test
	void handlerOfATimedOutCallIsFreedAndItsServerIsLeft() throws Exception {
		CountDownLatch freed = new CountDownLatch(1);
		Channel channel = serve(freed, new AtomicReference<>());
		assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(300)).code())
			.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(freed.await(5, TimeUnit.SECONDS)).isTrue();
		endedEverywhere(1);
	}

	@Test
	void handlerOfACallWhoseCallerLeftIsFreed() throws Exception {
		CountDownLatch freed = new CountDownLatch(1);
		AtomicReference<Throwable> thrown = new AtomicReference<>();
		Channel channel = serve(freed, thrown);
		try (TestCall caller = TestCall.begin()) {
			CompletableFuture<Calls.Ended> ended = caller
				.call(() -> Calls.start(channel, Shop.UNARY, Loopback.within(30_000)));
			await().until(() -> this.peer.arrived() == 1);
			caller.abandon();
			assertThat(ended.get().code()).isEqualTo(Status.Code.CANCELLED);
		}
		assertThat(freed.await(5, TimeUnit.SECONDS)).isTrue();
		assertThat(Status.fromThrowable(thrown.get()).getCode()).isEqualTo(Status.Code.CANCELLED);
		endedEverywhere(1);
	}

	private Channel serve(CountDownLatch freed, AtomicReference<Throwable> failure) {
		Shop shop = new Shop();
		Server server = this.loopback.serve(this.resilience, shop);
		Channel channel = Calls.warm(this.loopback.plainChannel(server));
		shop.unary((request, observer) -> {
			try {
				Read.TEXT.read(this.client, this.peer.uri("/silent"));
			}
			catch (Exception ex) {
				failure.set(ex);
				observer.onError(ex);
			}
			finally {
				freed.countDown();
			}
		});
		return channel;
	}

	@Test
	void callThatWasAnsweredIsNotAbandoned() throws Exception {
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		CountDownLatch answered = new CountDownLatch(1);
		Shop shop = new Shop();
		Server server = this.loopback.serve(this.resilience, shop);
		Channel channel = Calls.warm(this.loopback.plainChannel(server));
		shop.unary((request, observer) -> {
			CompletableFuture<HttpResponse<String>> sent = this.client.sendAsync(get(this.peer.uri("/silent")),
					BodyHandlers.ofString());
			CompletableFuture<?> unused = sent.whenComplete((response, thrown) -> failure.complete(thrown));
			Shop.echo(request, observer);
			answered.countDown();
		});
		assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(400)).code()).isEqualTo(Status.Code.OK);
		answered.await();
		// Past the deadline of the call that was answered.
		assertThat(failure.completeOnTimeout(null, 700, TimeUnit.MILLISECONDS).get()).isNull();
		assertThat(this.peer.left()).isZero();
		assertThat(counts()).isEqualTo(new Sums(0, 0, 0));
	}

	@Test
	void futureMayBeCancelledAsOneOfTheJdk() throws Exception {
		try (TestCall context = TestCall.begin()) {
			CompletableFuture<HttpResponse<String>> sent = context
				.call(() -> this.client.sendAsync(get(this.peer.uri("/silent")), BodyHandlers.ofString()));
			await().until(() -> this.peer.arrived() == 1);
			sent.cancel(true);
			await().until(() -> this.peer.left() == 1);
			// The peer may hear of it first.
			await().until(() -> context.record().registered() == 0);
			context.abandon();
			assertThat(counts()).isEqualTo(new Sums(0, 0, 0));
		}
	}

	@Test
	void bodyThatIsClosedEndsTheExchange() throws Exception {
		try (TestCall context = TestCall.begin()) {
			InputStream body = context
				.call(() -> this.client.send(get(this.peer.uri("/stall")), BodyHandlers.ofInputStream()))
				.body();
			body.close();
			await().until(() -> this.peer.left() == 1);
			// The peer may hear of it first.
			await().until(() -> context.record().registered() == 0);
			context.abandon();
			assertThat(counts()).isEqualTo(new Sums(0, 0, 0));
		}
	}

	@Test
	void interruptedSenderIsToldSo() throws Exception {
		try (TestCall context = TestCall.begin()) {
			Thread caller = Thread.currentThread();
			after(150, caller::interrupt);
			assertThatExceptionOfType(InterruptedException.class).isThrownBy(
					() -> context.call(() -> this.client.send(get(this.peer.uri("/silent")), BodyHandlers.ofString())));
			assertThat(Thread.interrupted()).isFalse();
			await().until(() -> this.peer.left() == this.peer.arrived());
			context.abandon();
			assertThat(counts()).isEqualTo(new Sums(0, 0, 0));
		}
	}

	@Test
	void shorterTimeoutOfTheRequestStays() throws Exception {
		try (TestCall context = TestCall.begin().timingOutAfter(30, TimeUnit.SECONDS, this.timer)) {
			HttpRequest request = HttpRequest.newBuilder(this.peer.uri("/silent"))
				.timeout(Duration.ofMillis(120))
				.build();
			assertThatExceptionOfType(HttpTimeoutException.class)
				.isThrownBy(() -> context.call(() -> this.client.send(request, BodyHandlers.ofString())))
				.satisfies((ex) -> assertThat(chain(ex)).noneMatch(StatusRuntimeException.class::isInstance));
		}
	}

	@Test
	void failuresThatAreNotOursStayAsTheyAre() throws Exception {
		try (TestCall context = TestCall.begin()) {
			URI nobody = URI.create("http://127.0.0.1:1/any");
			assertThatExceptionOfType(ConnectException.class)
				.isThrownBy(() -> context.call(() -> this.client.send(get(nobody), BodyHandlers.ofString())));
			assertThatExceptionOfType(ExecutionException.class)
				.isThrownBy(() -> context.call(() -> this.client.sendAsync(get(nobody), BodyHandlers.ofString())).get())
				.withCauseInstanceOf(ConnectException.class);
		}
	}

	@Test
	void observingChangesNothing() throws Exception {
		GrpcResilience observing = this.loopback
			.resilience(GrpcResilience.builder().mode(Mode.OBSERVE).budgetHeader("grpc-timeout", List.of("127.0.0.1")));
		HttpClient observed = observing.work().httpClient(this.plain);
		try (TestCall context = TestCall.begin().timingOutAfter(150, TimeUnit.MILLISECONDS, this.timer)) {
			CompletableFuture<HttpResponse<String>> sent = context
				.call(() -> observed.sendAsync(get(this.peer.uri("/silent")), BodyHandlers.ofString()));
			await().until(() -> observing.inspection().stoppedWork().sums(Work.HTTP_EXCHANGE).cancelled() == 1);
			assertThat(context.call(() -> Read.TEXT.read(observed, this.peer.uri("/any")))).isEqualTo("/any");
			assertThat(observing.inspection().stoppedWork().sums(Work.HTTP_EXCHANGE)).isEqualTo(new Sums(1, 1, 0));
			assertThat(sent).isNotDone();
			assertThat(this.peer.requests()).allSatisfy((head) -> assertThat(budgets(head)).isEmpty());
		}
	}

	@Test
	void hostsOnTheListAreToldWhatIsLeft() throws Exception {
		HttpClient telling = telling("LocalHost", "*.example.com");
		try (TestCall context = TestCall.begin().timingOutAfter(8, TimeUnit.SECONDS, this.timer)) {
			context.call(() -> Read.TEXT.read(telling, this.peer.uri("localhost", "/told")));
			context.call(() -> Read.TEXT.read(telling, this.peer.uri("/not-told")));
			HttpRequest own = HttpRequest.newBuilder(this.peer.uri("localhost", "/own"))
				.header("Grpc-Timeout", "7m")
				.build();
			context.call(() -> telling.send(own, BodyHandlers.ofString()));
		}
		Read.TEXT.read(telling, this.peer.uri("localhost", "/outside"));
		assertThat(this.peer.requests().get(0)).element(0).asString().contains("/told");
		String told = budgets(this.peer.requests().get(0)).get(0);
		// 8 s less at most 100 ms of reserve.
		assertThat(told).matches("[0-9]{7}u");
		assertThat(Long.parseLong(told.substring(0, 7))).isBetween(3_000_000L, 7_900_000L);
		assertThat(budgets(this.peer.requests().get(1))).isEmpty();
		assertThat(budgets(this.peer.requests().get(2))).containsExactly("7m");
		assertThat(budgets(this.peer.requests().get(3))).isEmpty();
	}

	private HttpClient telling(String... hosts) {
		return this.loopback.resilience(GrpcResilience.builder().budgetHeader("grpc-timeout", List.of(hosts)))
			.work()
			.httpClient(this.plain);
	}

	private static List<String> budgets(List<String> head) {
		return head.stream()
			.filter((line) -> line.toLowerCase(Locale.ROOT).startsWith("grpc-timeout:"))
			.map((line) -> line.substring("grpc-timeout:".length()).strip())
			.toList();
	}

	@Test
	void settingsOfTheWrappedClientShow() {
		HttpClient configured = HttpClient.newBuilder()
			.followRedirects(Redirect.NORMAL)
			.connectTimeout(Duration.ofMillis(1050))
			.version(HttpClient.Version.HTTP_1_1)
			.build();
		HttpClient wrapped = this.resilience.work().httpClient(configured);
		assertThat(wrapped.followRedirects()).isEqualTo(Redirect.NORMAL);
		assertThat(wrapped.connectTimeout()).hasValue(Duration.ofMillis(1050));
		assertThat(wrapped.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
		assertThat(wrapped.sslContext()).isSameAs(configured.sslContext());
		assertThat(wrapped.executor()).isEqualTo(configured.executor());
	}

	private Throwable run(TestCall context, Read read, URI target) throws Exception {
		AtomicReference<Throwable> thrown = new AtomicReference<>();
		context.run(() -> {
			try {
				read.read(this.client, target);
			}
			catch (Throwable ex) {
				thrown.set(ex);
			}
		});
		assertThat(thrown.get()).isNotNull();
		assertThat(Thread.interrupted()).isFalse();
		return thrown.get();
	}

	private void after(long millis, Runnable action) {
		ScheduledFuture<?> unused = this.timer.schedule(action, millis, TimeUnit.MILLISECONDS);
	}

	private void endedEverywhere(int cancelled) {
		await().untilAsserted(() -> assertThat(this.peer.left()).isEqualTo(this.peer.arrived()));
		assertThat(counts()).isEqualTo(new Sums(0, cancelled, 0));
	}

	private Sums counts() {
		return this.resilience.inspection().stoppedWork().sums(Work.HTTP_EXCHANGE);
	}

	private URI target(String where) {
		if (!where.equals("connect")) {
			return this.peer.uri(where);
		}
		HttpPeer unreachable = HttpPeer.unreachable();
		this.open.push(unreachable);
		return unreachable.uri("/any");
	}

	private static HttpRequest get(URI uri) {
		return HttpRequest.newBuilder(uri).build();
	}

	private static List<Throwable> chain(Throwable thrown) {
		return Stream.iterate(thrown, (one) -> one != null, Throwable::getCause).toList();
	}

	/**
	 * Every way in which applications read a body.
	 */
	enum Read {

		TEXT {

			@Override
			String read(HttpClient client, URI uri) throws Exception {
				return client.send(get(uri), BodyHandlers.ofString()).body();
			}

		},

		STREAM {

			@Override
			String read(HttpClient client, URI uri) throws Exception {
				try (InputStream body = client.send(get(uri), BodyHandlers.ofInputStream()).body()) {
					return new String(body.readAllBytes(), StandardCharsets.ISO_8859_1);
				}
			}

		},

		LINES {

			@Override
			String read(HttpClient client, URI uri) throws Exception {
				return String.join("\n", client.send(get(uri), BodyHandlers.ofLines()).body().toList());
			}

		},

		ASYNC {

			@Override
			String read(HttpClient client, URI uri) throws Exception {
				return client.sendAsync(get(uri), BodyHandlers.ofString()).get(20, TimeUnit.SECONDS).body();
			}

		},

		PUBLISHER {

			@Override
			String read(HttpClient client, URI uri) throws Exception {
				CompletableFuture<String> collected = new CompletableFuture<>();
				client.send(get(uri), BodyHandlers.ofPublisher()).body().subscribe(new Flow.Subscriber<>() {

					private final StringBuilder text = new StringBuilder();

					@Override
					public void onSubscribe(Flow.Subscription subscription) {
						subscription.request(Long.MAX_VALUE);
					}

					@Override
					public void onNext(List<ByteBuffer> item) {
						item.forEach((part) -> this.text.append(StandardCharsets.ISO_8859_1.decode(part)));
					}

					@Override
					public void onError(Throwable thrown) {
						collected.completeExceptionally(thrown);
					}

					@Override
					public void onComplete() {
						collected.complete(this.text.toString());
					}

				});
				return collected.get(20, TimeUnit.SECONDS);
			}

		};

		abstract String read(HttpClient client, URI uri) throws Exception;

	}

}
