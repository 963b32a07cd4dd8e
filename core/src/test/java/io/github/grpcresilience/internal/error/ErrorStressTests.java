package io.github.grpcresilience.internal.error;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.rpc.BadRequest;
import com.google.rpc.DebugInfo;
import io.grpc.Attributes;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Errors of every size and from every thread, on one connection with streams that must
 * not notice.
 */
class ErrorStressTests {

	private static final int CALLS = 3_000;

	private static final int SIBLINGS = 50;

	private final Queue<StreamObserver<String>> held = new ConcurrentLinkedQueue<>();

	private final AtomicInteger terminated = new AtomicInteger();

	@Test
	void noErrorHarmsItsSiblings() {
		try (Loopback loopback = new Loopback()) {
			Shop shop = new Shop().serverStream((request, observer) -> this.held.add(observer))
				.unary((request, observer) -> fail(observer));
			GrpcResilience resilience = loopback.resilience(GrpcResilience.builder());
			Channel channel = loopback.plainChannel(
					loopback.serve(resilience, shop, (server) -> server.addTransportFilter(new ServerTransportFilter() {
						@Override
						public void transportTerminated(Attributes attributes) {
							ErrorStressTests.this.terminated.incrementAndGet();
						}
					})));
			List<CompletableFuture<Ended>> siblings = new ArrayList<>();
			for (int i = 0; i < SIBLINGS; i++) {
				siblings.add(Calls.start(channel, Shop.SERVER_STREAM, Loopback.within(120_000)));
			}
			await().until(() -> this.held.size() == SIBLINGS);
			Map<Status.Code, AtomicInteger> codes = new ConcurrentHashMap<>();
			for (int i = 0; i < CALLS; i += 100) {
				List<CompletableFuture<Ended>> calls = new ArrayList<>();
				for (int k = 0; k < 100; k++) {
					calls.add(Calls.start(channel, Shop.UNARY, Loopback.within(60_000)));
				}
				calls.forEach((call) -> check(call.orTimeout(60, TimeUnit.SECONDS).join(), codes));
			}
			assertThat(codes.keySet()).containsExactlyInAnyOrder(Status.Code.ABORTED, Status.Code.INTERNAL,
					Status.Code.NOT_FOUND);
			this.held.forEach((sibling) -> Shop.echo("unharmed", sibling));
			siblings.forEach((sibling) -> assertThat(sibling.orTimeout(20, TimeUnit.SECONDS).join().messages())
				.containsExactly("unharmed"));
			assertThat(this.terminated).as("broken connections").hasValue(0);
			await().untilAsserted(() -> assertThat(resilience.inspection().servedMethods())
				.allMatch((method) -> method.counts().inFlight() == 0));
			await().untilAsserted(() -> assertThat(resilience.inspection().pendingTimeouts()).isZero());
		}
	}

	private static void check(Ended ended, Map<Status.Code, AtomicInteger> codes) {
		codes.computeIfAbsent(ended.code(), (code) -> new AtomicInteger()).incrementAndGet();
		GrpcErrors errors = GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
		assertThat(errors.reason()).as(ended.status().toString()).isPresent();
		assertThat(ended.status() + " " + errors.details()).doesNotContain("secret");
	}

	private static void fail(StreamObserver<String> observer) {
		Random random = ThreadLocalRandom.current();
		int size = 1 << random.nextInt(16);
		RuntimeException thrown = switch (random.nextInt(3)) {
			case 0 -> rich(size);
			case 1 -> built(size);
			default -> new IllegalStateException("secret".repeat(size));
		};
		switch (random.nextInt(3)) {
			case 0 -> throw thrown;
			case 1 -> observer.onError(thrown);
			default -> CompletableFuture.delayedExecutor(random.nextInt(3), TimeUnit.MILLISECONDS)
				.execute(() -> observer.onError(thrown));
		}
	}

	private static GrpcError rich(int size) {
		GrpcError error = GrpcError.of(Status.Code.NOT_FOUND)
			.reason("LARGE")
			.message("語".repeat(size))
			.with("large", "l".repeat(size))
			.with(DebugInfo.newBuilder().setDetail("d".repeat(size)).build())
			.with(BytesValue.of(ByteString.copyFrom(new byte[size])));
		BadRequest.Builder request = BadRequest.newBuilder();
		for (int i = 0; i < size / 32; i++) {
			request.addFieldViolationsBuilder().setField("f" + i).setDescription("%\n".repeat(15));
		}
		return error.with(request.build());
	}

	private static StatusRuntimeException built(int size) {
		GrpcError error = GrpcError.of(Status.Code.ABORTED).reason("BUILT").message("\n%".repeat(size));
		Metadata trailers = Status.trailersFromThrowable(error);
		trailers.put(Metadata.Key.of("x-large-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[size]);
		trailers.put(Metadata.Key.of("x-small", Metadata.ASCII_STRING_MARSHALLER), "small");
		return Status.fromThrowable(error).withCause(null).asRuntimeException(trailers);
	}

}
