package io.github.grpcresilience.internal.drain;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Servers go away at any moment, while calls of all types arrive, run, and are answered.
 * None is told that it was cancelled, and nothing of any is left.
 */
class DrainStressTests {

	private static final int SERVERS = 40;

	private static final int CALLS = 80;

	private static final int SEED = 20_261_128;

	private final Loopback loopback = new Loopback();

	private final ExecutorService late = Executors.newFixedThreadPool(4);

	@AfterEach
	void end() {
		this.late.shutdownNow();
		this.loopback.close();
	}

	@Test
	void nothingIsLeftOfAnyCall() {
		Random random = new Random(SEED);
		Map<Status.Code, Integer> codes = new EnumMap<>(Status.Code.class);
		long drained = 0;
		for (int i = 0; i < SERVERS; i++) {
			Duration limit = Duration.ofMillis(random.nextInt(60));
			GrpcResilience resilience = this.loopback
				.resilience(GrpcResilience.builder().server((server) -> server.drain(Duration.ZERO, limit)));
			Server server = this.loopback.serve(resilience, shop());
			ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
			List<CompletableFuture<Calls.Ended>> calls = new ArrayList<>();
			Thread closing = new Thread(() -> resilience.drain().shutdown(server));
			int closesAt = random.nextInt(CALLS);
			for (int call = 0; call < CALLS; call++) {
				if (call == closesAt) {
					closing.start();
				}
				MethodDescriptor<String, String> method = Calls.types().get(random.nextInt(4));
				calls.add(Calls.start(channel, method,
						random.nextBoolean() ? CallOptions.DEFAULT : Loopback.within(60_000)));
			}
			for (CompletableFuture<Calls.Ended> call : calls) {
				Calls.Ended ended = call.orTimeout(40, TimeUnit.SECONDS).join();
				codes.merge(ended.code(), 1, Integer::sum);
				assertThat(ended.code()).as("%s", ended).isIn(Status.Code.OK, Status.Code.UNAVAILABLE);
			}
			await().until(server::isTerminated);
			await().untilAsserted(() -> {
				assertThat(resilience.inspection().pendingTimeouts()).isZero();
				assertThat(resilience.inspection().pendingDrains()).isZero();
				assertThat(resilience.inspection().servedMethods()).extracting(ServedMethod::counts)
					.allSatisfy((counts) -> assertThat(counts.inFlight()).isZero());
			});
			drained += resilience.inspection()
				.servedMethods()
				.stream()
				.mapToLong((method) -> method.counts().byReason().getOrDefault(Reason.DRAINING, 0L))
				.sum();
		}
		Measured.note("drain stress: %s, %d of them DRAINING".formatted(codes, drained));
		assertThat(codes).containsOnlyKeys(Status.Code.OK, Status.Code.UNAVAILABLE);
		assertThat(drained).isPositive();
	}

	private Shop shop() {
		return new Shop().unary((request, observer) -> {
			LockSupport.parkNanos(3_000_000);
			Shop.echo(request, observer);
		}).serverStream((request, observer) -> {
			((ServerCallStreamObserver<String>) observer).setOnCancelHandler(() -> {
				// Else what is sent after the end would be thrown at.
			});
			observer.onNext("first");
			this.late.execute(() -> {
				LockSupport.parkNanos(1_000_000);
				Shop.echo("last", observer);
			});
		}).bidi((observer) -> new Silent());
	}

	/** A handler that never answers. */
	private static final class Silent implements StreamObserver<String> {

		@Override
		public void onNext(String value) {
			// It waits for more.
		}

		@Override
		public void onError(Throwable thrown) {
			// The call ended.
		}

		@Override
		public void onCompleted() {
			// It never answers.
		}

	}

}
