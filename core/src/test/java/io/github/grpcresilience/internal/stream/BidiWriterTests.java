package io.github.grpcresilience.internal.stream;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.stream.StreamWriter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Writers of bidirectional handlers, which answer each request in its callback.
 */
class BidiWriterTests {

	private static final int ANSWERS = 61;

	private final Loopback loopback = new Loopback();

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());

	private final CompletableFuture<StreamWriter<String>> opened = new CompletableFuture<>();

	@AfterEach
	void end() {
		this.loopback.close();
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void handlerThatWaitsInACallbackLosesNothing(boolean isProtected) {
		SlowReader reader = reader(isProtected);
		StreamWriter<String> writer = this.opened.orTimeout(20, TimeUnit.SECONDS).join();
		await().untilAsserted(() -> assertThat(writer.buffered()).isEqualTo(7));
		Calls.Ended ended = reader.readAll();
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		assertThat(ended.messages()).extracting(Watched::number)
			.containsExactlyElementsOf(IntStream.range(0, ANSWERS).boxed().toList());
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void callerThatLeavesWakesACallback(boolean isProtected) {
		SlowReader reader = reader(isProtected);
		StreamWriter<String> writer = this.opened.orTimeout(20, TimeUnit.SECONDS).join();
		await().untilAsserted(() -> assertThat(writer.buffered()).isEqualTo(7));
		reader.leave();
		await().untilAsserted(() -> assertThat(writer.isOpen()).isFalse());
		assertThat(writer.buffered()).isZero();
	}

	private SlowReader reader(boolean isProtected) {
		Shop shop = new Shop().bidi((observer) -> {
			StreamWriter<String> writer = this.resilience.writer(observer).messages(7).open();
			this.opened.complete(writer);
			return new Answers(writer);
		});
		Server server = isProtected ? this.loopback.serve(this.resilience, shop)
				: this.loopback.servePlain(shop, (builder) -> {
				});
		ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", server.getPort())
			.usePlaintext()
			.flowControlWindow(65_535)
			.build();
		this.loopback.end(channel);
		return new SlowReader(channel, Shop.BIDI, CallOptions.DEFAULT);
	}

	/** Answers a request with many messages, in its callback. */
	private record Answers(StreamWriter<String> writer) implements StreamObserver<String> {

		@Override
		public void onNext(String request) {
			for (int i = 0; i < ANSWERS && this.writer.write(Watched.message(i)); i++) {
				// As long as it takes messages.
			}
		}

		@Override
		public void onError(Throwable thrown) {
			// The writer knows that the caller left.
		}

		@Override
		public void onCompleted() {
			this.writer.complete();
		}

	}

}
