package io.github.grpcresilience.internal.call;

import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import javax.sql.DataSource;

import com.google.common.util.concurrent.ListenableFuture;
import com.zaxxer.hikari.HikariDataSource;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.internal.cancel.jdbc.Database;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

/**
 * Work that one call begins and others wait for, as in a cache that loads a value once.
 */
class SharedWorkTests {

	private static final long LONG_MILLIS = 25_000;

	private final Loopback loopback = new Loopback();

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());

	private final HikariDataSource pool = Database.POSTGRES.pool(4);

	private final DataSource dataSource = this.resilience.work().dataSource(this.pool);

	private final ConcurrentHashMap<String, CompletableFuture<String>> values = new ConcurrentHashMap<>();

	private final AtomicInteger waiting = new AtomicInteger();

	private final ExecutorService callers = Executors.newCachedThreadPool();

	private final ManagedChannel channel = this.loopback
		.channel(this.loopback.serve(this.resilience, new Shop().unary((request, observer) -> {
			if (!request.equals("warm")) {
				load(request);
			}
			Shop.echo(request, observer);
		})), this.resilience, "shop");

	@AfterEach
	void end() {
		this.loopback.close();
		this.callers.shutdownNow();
		this.pool.close();
	}

	/** As caches do: who comes first loads, and the others wait. */
	private String load(String key) {
		CompletableFuture<String> mine = new CompletableFuture<>();
		CompletableFuture<String> first = this.values.putIfAbsent(key, mine);
		if (first != null) {
			this.waiting.incrementAndGet();
			return first.join();
		}
		try (Connection connection = this.dataSource.getConnection()) {
			Database.POSTGRES.keepBusy(connection, Long.parseLong(key));
			mine.complete(key);
			return key;
		}
		catch (Exception ex) {
			mine.completeExceptionally(ex);
			throw new CompletionException(ex);
		}
		finally {
			this.values.remove(key);
		}
	}

	private Future<Throwable> call(String request, CallOptions options) {
		return this.callers.submit(() -> catchThrowableOfType(StatusRuntimeException.class,
				() -> Loopback.call(this.channel, options, request)));
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void whoWaitsForWorkOfACallThatHasEndedIsAskedToTryAgain(boolean timesOut) throws Exception {
		Loopback.warmUp(this.channel);
		String key = String.valueOf(LONG_MILLIS);
		ListenableFuture<String> first = ClientCalls
			.futureUnaryCall(this.channel.newCall(Shop.UNARY, Loopback.within(timesOut ? 1_500 : 20_000)), key);
		await().until(() -> Database.POSTGRES.running() == 1);
		Future<Throwable> second = call(key, Loopback.within(20_000));
		await().until(() -> this.waiting.get() == 1);
		if (!timesOut) {
			first.cancel(true);
		}
		assertThat(first).failsWithin(Duration.ofSeconds(10));
		GrpcErrors errors = GrpcErrors.from(second.get(10, TimeUnit.SECONDS));
		assertThat(errors.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(errors.reason()).hasValue(Reason.SHARED_WORK_ENDED.name());
		assertThat(errors.message()).doesNotContain("statement");
	}

	/** Nobody is told of the end of somebody else's call, and nothing is left of any. */
	@Test
	@Timeout(120)
	void callsThatShareWorkAreHarmedByNobodyElse() throws Exception {
		Loopback.warmUp(this.channel);
		List<Future<Integer>> running = new ArrayList<>();
		for (int i = 0; i < 8; i++) {
			Random random = new Random(i);
			running.add(this.callers.submit(() -> callInTurn(random)));
		}
		int ended = 0;
		for (Future<Integer> one : running) {
			ended += one.get();
		}
		assertThat(ended).isPositive();
		await().until(() -> this.resilience.inspection()
			.servedMethods()
			.stream()
			.allMatch((one) -> one.counts().inFlight() == 0));
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
		await().until(() -> this.pool.getHikariPoolMXBean().getActiveConnections() == 0);
		assertThat(Database.POSTGRES.running()).isZero();
	}

	private Integer callInTurn(Random random) {
		int ended = 0;
		for (int n = 0; n < 150; n++) {
			boolean patient = random.nextBoolean();
			CallOptions options = Loopback.within(patient ? 20_000 : 1 + random.nextInt(40));
			String key = String.valueOf(1 + random.nextInt(25));
			StatusRuntimeException thrown = catchThrowableOfType(StatusRuntimeException.class,
					() -> Loopback.call(this.channel, options, key));
			if (thrown == null) {
				continue;
			}
			ended++;
			if (patient) {
				assertThat(GrpcErrors.from(thrown).reason()).hasValue(Reason.SHARED_WORK_ENDED.name());
			}
			else {
				assertThat(thrown.getStatus().getCode()).isIn(Status.Code.DEADLINE_EXCEEDED, Status.Code.UNAVAILABLE);
			}
		}
		return ended;
	}

}
