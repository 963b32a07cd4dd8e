package io.github.grpcresilience.interop;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Our server and our client with a real proxy between them, which knows nothing of it.
 */
@Tag("foreign")
class ProxyTests {

	private final Queue<Server> servers = new ConcurrentLinkedQueue<>();

	private final AtomicInteger calls = new AtomicInteger();

	@TempDir
	private Path folder;

	private GrpcResilience resilience = resilience(GrpcResilience.builder());

	private BiConsumer<String, StreamObserver<String>> handler = ProxyTests::echo;

	private ManagedChannel channel;

	private Proxy proxy;

	private static GrpcResilience resilience(GrpcResilienceBuilder builder) {
		return builder
			.client((client) -> client.policy("reads", (reads) -> reads.methods(Texts.SERVICE)
				.idempotent()
				.retry((retry) -> retry.maxAttempts(3).backoff(Duration.ofMillis(700), Duration.ofSeconds(3), 2))))
			.build();
	}

	@AfterEach
	void end() throws InterruptedException {
		if (this.channel != null) {
			this.channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
		}
		if (this.proxy != null) {
			this.proxy.close();
		}
		for (Server each : this.servers) {
			each.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
		}
		this.resilience.close();
	}

	private static void echo(String request, StreamObserver<String> observer) {
		answer(request, observer);
	}

	private static void answer(String answer, StreamObserver<String> observer) {
		observer.onNext(answer);
		observer.onCompleted();
	}

	private int serve(BiConsumer<String, StreamObserver<String>> service) {
		NettyServerBuilder builder = NettyServerBuilder.forPort(0)
			.addService(ServerServiceDefinition.builder(Texts.SERVICE)
				.addMethod(Texts.UNARY, ServerCalls.asyncUnaryCall(service::accept))
				.build());
		this.resilience.connections().configure(builder);
		this.resilience.protect(builder);
		try {
			Server server = builder.build().start();
			this.servers.add(server);
			return server.getPort();
		}
		catch (IOException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private void behind(Proxy.Kind kind) {
		connect(kind, serve((request, observer) -> {
			this.calls.incrementAndGet();
			this.handler.accept(request, observer);
		}));
		assertThat(call("warm").isOk()).isTrue();
		this.calls.set(0);
	}

	private void connect(Proxy.Kind kind, int... ports) {
		this.proxy = Proxy.start(kind, this.folder, ports);
		NettyChannelBuilder builder = NettyChannelBuilder.forAddress("127.0.0.1", this.proxy.port()).usePlaintext();
		this.resilience.connections().configure(builder, "shop");
		this.channel = builder.intercept(this.resilience.client("shop")).build();
		this.resilience.learn("shop", this.channel);
	}

	private Texts.Ended call(String request) {
		return Texts.start(this.channel, request, Texts.within(20_000)).ended();
	}

	@ParameterizedTest
	@EnumSource
	void budgetReachesTheServer(Proxy.Kind kind) {
		behind(kind);
		this.handler = (request, observer) -> answer(Budget.remaining().orElseThrow().toString(), observer);
		assertThat(Duration.parse(call("x").answer())).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(20));
	}

	@ParameterizedTest
	@EnumSource
	void serverAnswersBeforeTheBudgetIsOver(Proxy.Kind kind) {
		behind(kind);
		this.handler = (request, observer) -> {
		};
		Texts.Ended ended = Texts.start(this.channel, "x", Texts.within(700)).ended();
		assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(errors(ended).reason()).hasValue("DEADLINE_EXCEEDED");
	}

	@ParameterizedTest
	@EnumSource
	void richErrorsComeThrough(Proxy.Kind kind) {
		behind(kind);
		this.handler = (request,
				observer) -> observer.onError(GrpcError.of(Status.Code.FAILED_PRECONDITION)
					.reason("CART_INVALID")
					.message("100 % \u00e4")
					.withViolation("items[7]", "sold out"));
		GrpcErrors errors = errors(call("x"));
		assertThat(errors.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
		assertThat(errors.reason()).hasValue("CART_INVALID");
		assertThat(errors.message()).isEqualTo("100 % \u00e4");
	}

	private static GrpcErrors errors(Texts.Ended ended) {
		return GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
	}

	@ParameterizedTest
	@EnumSource
	void failedCallsAreAttemptedAgain(Proxy.Kind kind) {
		behind(kind);
		this.handler = (request, observer) -> {
			if (this.calls.get() < 3) {
				observer.onError(Status.UNAVAILABLE.asRuntimeException());
			}
			else {
				echo(request, observer);
			}
		};
		assertThat(call("x").answer()).isEqualTo("x");
		assertThat(this.calls).hasValue(3);
	}

	@ParameterizedTest
	@EnumSource
	void cancelReachesTheServer(Proxy.Kind kind) {
		behind(kind);
		CompletableFuture<Context> arrived = new CompletableFuture<>();
		this.handler = (request, observer) -> arrived.complete(Context.current());
		Texts.Call call = Texts.start(this.channel, "x", Texts.within(60_000));
		Context context = arrived.orTimeout(20, TimeUnit.SECONDS).join();
		assertThat(context.isCancelled()).isFalse();
		call.cancel();
		await().until(context::isCancelled);
	}

	@ParameterizedTest
	@EnumSource
	void restartFailsNoCall(Proxy.Kind kind) throws InterruptedException {
		behind(kind);
		int threads = 8;
		Map<String, AtomicInteger> ends = new TreeMap<>();
		CountDownLatch half = new CountDownLatch(1_000);
		CountDownLatch done = new CountDownLatch(threads);
		for (int i = 0; i < threads; i++) {
			Thread caller = new Thread(() -> {
				for (int j = 0; j < 250; j++) {
					Texts.Ended ended = call("x");
					synchronized (ends) {
						ends.computeIfAbsent(ended.isOk() ? "OK" : ended.status().toString(),
								(end) -> new AtomicInteger())
							.incrementAndGet();
					}
					half.countDown();
				}
				done.countDown();
			}, "caller");
			caller.start();
		}
		assertThat(half.await(40, TimeUnit.SECONDS)).isTrue();
		this.proxy.restart();
		assertThat(done.await(40, TimeUnit.SECONDS)).isTrue();
		assertThat(ends).hasToString("{OK=2000}");
	}

	@Test
	void oneConnectionIsPinnedUntilItIsRecycled() {
		connect(Proxy.Kind.HAPROXY_TCP, serveByName("a"), serveByName("b"));
		Set<String> seen = new HashSet<>();
		for (int i = 0; i < 200; i++) {
			seen.add(call("x").answer());
		}
		assertThat(seen).hasSize(1);
	}

	@ParameterizedTest
	@EnumSource(names = "HAPROXY_TCP", mode = EnumSource.Mode.EXCLUDE)
	void callsOfOneConnectionAreSpreadByThoseThatKnowHttp2(Proxy.Kind kind) {
		connect(kind, serveByName("a"), serveByName("b"));
		Set<String> seen = new HashSet<>();
		for (int i = 0; i < 20; i++) {
			seen.add(call("x").answer());
		}
		assertThat(seen).containsExactlyInAnyOrder("a", "b");
	}

	@Test
	void recycledConnectionsAreSpread() {
		this.resilience.close();
		this.resilience = resilience(
				GrpcResilience.builder().server((server) -> server.maxConnectionAge(Duration.ofSeconds(1))));
		connect(Proxy.Kind.HAPROXY_TCP, serveByName("a"), serveByName("b"));
		Set<String> seen = new HashSet<>();
		await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(7)).until(() -> {
			Texts.Ended ended = call("x");
			assertThat(ended.isOk()).as("%s", ended.status()).isTrue();
			seen.add(ended.answer());
			return seen.size() == 2;
		});
	}

	private int serveByName(String name) {
		return serve((request, observer) -> answer(name, observer));
	}

}
