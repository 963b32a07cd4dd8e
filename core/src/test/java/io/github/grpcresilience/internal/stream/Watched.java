package io.github.grpcresilience.internal.stream;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.stream.StreamWriter;
import io.github.grpcresilience.stream.StreamWriterBuilder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A server whose streams are written by the test, and readers of small windows.
 */
final class Watched implements AutoCloseable {

	/** A few of these fill what lies between writer and reader. */
	static final String LARGE = "x".repeat(10_000);

	private static final int FITS = 10;

	private final Loopback loopback = new Loopback();

	private final BlockingQueue<StreamWriter<String>> writers = new LinkedBlockingQueue<>();

	private final AtomicInteger ends = new AtomicInteger();

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
		.service("watched")
		.server((server) -> server.drain(Duration.ZERO, Duration.ofMillis(370))));

	private ManagedChannel channel;

	private Server server;

	/** Serves streams that are written from outside of their handler. */
	static Watched served(boolean isProtected, Consumer<StreamWriterBuilder<String>> options) {
		return served(isProtected, options, (writer) -> {
		}, (builder) -> {
		});
	}

	static Watched served(boolean isProtected, Consumer<StreamWriterBuilder<String>> options,
			Consumer<StreamWriter<String>> handler, Consumer<ServerBuilder<?>> customizer) {
		Watched watched = new Watched();
		Shop shop = new Shop().serverStream((request, observer) -> {
			StreamWriterBuilder<String> builder = watched.resilience.writer(observer)
				.bytes(Long.MAX_VALUE, String::length)
				.onEnd(watched.ends::incrementAndGet);
			options.accept(builder);
			StreamWriter<String> writer = builder.open();
			watched.writers.add(writer);
			handler.accept(writer);
		});
		Server server = isProtected ? watched.loopback.serve(watched.resilience, shop, customizer)
				: watched.loopback.servePlain(shop, customizer);
		watched.server = server;
		watched.connect();
		return watched;
	}

	/** Opens a connection for the readers to come: those of one share its window. */
	void connect() {
		this.channel = NettyChannelBuilder.forAddress("localhost", this.server.getPort())
			.usePlaintext()
			.flowControlWindow(65_535)
			.build();
		this.loopback.end(this.channel);
	}

	SlowReader reader() {
		return reader(CallOptions.DEFAULT);
	}

	SlowReader reader(CallOptions options) {
		return new SlowReader(this.channel, options);
	}

	StreamWriter<String> writer() {
		StreamWriter<String> writer = findWriter(20_000);
		assertThat(writer).as("writer of a handler").isNotNull();
		return writer;
	}

	/** A writer that was not asked for yet; null if there is none. */
	StreamWriter<String> findWriter(int waitMillis) {
		try {
			return this.writers.poll(waitMillis, TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			throw new AssertionError(ex);
		}
	}

	/**
	 * Writes as much as fits between a writer and a reader that reads nothing: 65,535
	 * bytes of window, and then until more than 32 KiB wait in gRPC.
	 * @return the number of the next message
	 */
	static int fill(StreamWriter<String> writer) {
		for (int i = 0; i < FITS; i++) {
			writer.write(message(i));
			await().untilAsserted(() -> assertThat(writer.buffered()).isZero());
		}
		return FITS;
	}

	/** How many streams have told their end. */
	int ends() {
		return this.ends.get();
	}

	void shutDown() {
		this.resilience.drain().shutdown(this.server);
	}

	GrpcResilience resilience() {
		return this.resilience;
	}

	static String message(int number) {
		return number + ":" + LARGE;
	}

	static int number(String message) {
		return Integer.parseInt(message.substring(0, message.indexOf(':')));
	}

	@Override
	public void close() {
		this.loopback.close();
	}

}
