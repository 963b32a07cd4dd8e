package io.github.grpcresilience.internal.connection;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.policy.PolicyFault;
import io.github.grpcresilience.test.Direction;
import io.github.grpcresilience.test.Relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

class ConnectionTests {

	private final Loopback loopback = new Loopback();

	private final AtomicInteger connections = new AtomicInteger();

	private final Queue<StreamObserver<String>> streams = new ConcurrentLinkedQueue<>();

	@AfterEach
	void end() {
		this.loopback.close();
	}

	private Server serve(GrpcResilience resilience) {
		Shop shop = new Shop().unary(Shop::echo).serverStream((request, observer) -> {
			observer.onNext("first");
			this.streams.add(observer);
		});
		return this.loopback.serve(resilience, shop, (builder) -> {
			// As a framework might that has an idea of its own.
			builder.maxConnectionAgeGrace(30, TimeUnit.MILLISECONDS);
			resilience.connections().configure(builder);
			builder.addTransportFilter(new Counting(this.connections));
		});
	}

	private static Map<String, Object> values(Map<String, Setting<?>> settings) {
		Map<String, Object> values = new java.util.TreeMap<>();
		settings.forEach((name, setting) -> values.put(name, setting.value()));
		return values;
	}

	@Test
	void oldConnectionIsReplacedWithoutAFailureAndStreamsStay() {
		GrpcResilience resilience = this.loopback
			.resilience(GrpcResilience.builder().server((server) -> server.maxConnectionAge(Duration.ofSeconds(1))));
		Server server = serve(resilience);
		ManagedChannel channel = this.loopback.plainChannel(server);
		List<String> received = new CopyOnWriteArrayList<>();
		CompletableFuture<Status> ended = new CompletableFuture<>();
		ClientCalls.asyncServerStreamingCall(channel.newCall(Shop.SERVER_STREAM, CallOptions.DEFAULT), "x",
				new StreamObserver<>() {

					@Override
					public void onNext(String value) {
						received.add(value);
					}

					@Override
					public void onError(Throwable thrown) {
						ended.complete(Status.fromThrowable(thrown));
					}

					@Override
					public void onCompleted() {
						ended.complete(Status.OK);
					}

				});
		await().until(() -> received.size() == 1);
		await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(5)).until(() -> {
			assertThat(Loopback.call(channel, Loopback.within(10_000), "x")).isEqualTo("x");
			return this.connections.get() == 3;
		});
		this.streams.element().onNext("second");
		this.streams.element().onCompleted();
		assertThat(ended.orTimeout(20, TimeUnit.SECONDS).join().isOk()).as("%s", ended).isTrue();
		assertThat(received).containsExactly("first", "second");
	}

	@Test
	void serverThatIsSilentIsLeft() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.client((client) -> client.keepAlive("shop", Duration.ofSeconds(10), Duration.ofMillis(300), false)));
		Server server = serve(resilience);
		try (Relay relay = new Relay(server.getPort())) {
			NettyChannelBuilder builder = NettyChannelBuilder.forAddress("127.0.0.1", relay.port()).usePlaintext();
			resilience.connections().configure(builder, "shop");
			ManagedChannel channel = builder.build();
			this.loopback.end(channel);
			Loopback.warmUp(channel);
			relay.stall(Direction.BOTH);
			CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
			Calls.Ended ended = call.orTimeout(50, TimeUnit.SECONDS).join();
			assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
			assertThat(ended.status().getDescription()).containsIgnoringCase("keepalive");
		}
	}

	@Test
	void addressThatSwallowsConnectionsIsLeft() throws IOException {
		GrpcResilience resilience = this.loopback.resilience(
				GrpcResilience.builder().client((client) -> client.connectTimeout("shop", Duration.ofMillis(317))));
		try (Swallowing swallowing = new Swallowing()) {
			NettyChannelBuilder builder = NettyChannelBuilder.forAddress(swallowing.address()).usePlaintext();
			resilience.connections().configure(builder, "shop");
			ManagedChannel channel = builder.build();
			this.loopback.end(channel);
			Throwable thrown = catchThrowable(() -> Loopback.call(channel, Loopback.within(60_000), "x"));
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
			assertThat(thrown).hasStackTraceContaining("timed out after 317 ms");
		}
	}

	@Test
	void settingsOfOneClientAreLaidOverThoseOfAll() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.client((client) -> client.keepAlive(Duration.ofMinutes(7), Duration.ofSeconds(3), true)
				.keepAlive("shop", Duration.ofSeconds(11), Duration.ofSeconds(2), false)
				.outlierDetection("shop", false)
				.warmUp(true)));
		assertThat(values(resilience.connections().ofClient("shop"))).containsOnly(
				Map.entry("connection.connect-timeout", Duration.ofSeconds(5)),
				Map.entry("connection.keepalive.time", Duration.ofSeconds(11)),
				Map.entry("connection.keepalive.timeout", Duration.ofSeconds(2)),
				Map.entry("connection.keepalive.without-calls", false),
				Map.entry("connection.outlier-detection", false), Map.entry("connection.warm-up", true));
		assertThat(values(resilience.connections().ofClient("other"))).containsOnly(
				Map.entry("connection.connect-timeout", Duration.ofSeconds(5)),
				Map.entry("connection.keepalive.time", Duration.ofMinutes(7)),
				Map.entry("connection.keepalive.timeout", Duration.ofSeconds(3)),
				Map.entry("connection.keepalive.without-calls", true), Map.entry("connection.outlier-detection", true),
				Map.entry("connection.warm-up", true));
		assertThat(values(resilience.connections().ofServer()))
			.containsOnly(Map.entry("connection.max-age", Duration.ofMinutes(30)));
	}

	@Test
	void valuesThatGrpcWouldChangeAreFaults() {
		GrpcResilienceBuilder builder = GrpcResilience.builder()
			.server((server) -> server.maxConnectionAge(Duration.ofMillis(999))
				.maxConnectionAgeGrace(Duration.ZERO)
				.keepAlive(Duration.ofMillis(7), Duration.ofMillis(-1))
				.permitKeepAlive(Duration.ofMillis(-7), true))
			.client((client) -> client.connectTimeout(Duration.ZERO)
				.connectTimeout("shop", Duration.ofHours(2))
				.keepAlive(Duration.ofMillis(9_999), Duration.ZERO, true)
				.keepAlive("shop", Duration.ofSeconds(9), Duration.ofSeconds(1), true));
		assertThatExceptionOfType(InvalidPolicyException.class).isThrownBy(builder::build)
			.satisfies((thrown) -> assertThat(thrown.faults()).extracting(PolicyFault::property)
				.containsExactlyInAnyOrder("grpc.resilience.server.connection.max-age",
						"grpc.resilience.server.connection.max-age-grace",
						"grpc.resilience.server.connection.keepalive.time",
						"grpc.resilience.server.connection.keepalive.timeout",
						"grpc.resilience.server.connection.keepalive.permit-time",
						"grpc.resilience.client.connection.connect-timeout",
						"grpc.resilience.client.connections.shop.connect-timeout",
						"grpc.resilience.client.connection.keepalive.time",
						"grpc.resilience.client.connection.keepalive.timeout",
						"grpc.resilience.client.connections.shop.keepalive.time"));
	}

	@Test
	void whatIsInThisProcessHasNoConnections() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.server((server) -> server.keepAlive(Duration.ofSeconds(1), Duration.ofSeconds(1))));
		InProcessServerBuilder server = InProcessServerBuilder.forName("none");
		resilience.connections().configure(server);
		InProcessChannelBuilder channel = InProcessChannelBuilder.forName("none");
		resilience.connections().configure(channel, "shop");
		ManagedChannel built = channel.build();
		this.loopback.end(built);
		assertThat(built.isShutdown()).isFalse();
	}

	@Test
	void observingSetsNothing() {
		List<String> set = new ArrayList<>();
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder().mode(Mode.OBSERVE));
		Consumer<String> note = set::add;
		resilience.connections().configure(InProcessServerBuilder.forName("none"), (name) -> {
			note.accept(name);
			return false;
		});
		assertThat(set).isEmpty();
	}

	private static final class Counting extends ServerTransportFilter {

		private final AtomicInteger connections;

		Counting(AtomicInteger connections) {
			this.connections = connections;
		}

		@Override
		public Attributes transportReady(Attributes attributes) {
			this.connections.incrementAndGet();
			return attributes;
		}

	}

	/**
	 * Takes no connection: its queue is full, so what knocks gets no answer, as behind a
	 * firewall.
	 */
	private static final class Swallowing implements AutoCloseable {

		private final ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());

		private final List<Socket> waiting = new ArrayList<>();

		Swallowing() throws IOException {
			for (boolean full = false; !full;) {
				Socket socket = new Socket();
				this.waiting.add(socket);
				try {
					socket.connect(address(), 200);
				}
				catch (SocketTimeoutException ex) {
					full = true;
				}
			}
		}

		InetSocketAddress address() {
			return new InetSocketAddress(InetAddress.getLoopbackAddress(), this.listening.getLocalPort());
		}

		@Override
		public void close() throws IOException {
			for (Socket socket : this.waiting) {
				socket.close();
			}
			this.listening.close();
		}

	}

}
