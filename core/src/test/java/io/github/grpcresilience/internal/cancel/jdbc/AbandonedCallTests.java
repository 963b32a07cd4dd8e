package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Grace;
import io.github.grpcresilience.test.Relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Calls that nobody waits for any more, while their statements run: in a handler that
 * blocks, on another thread, and in the service behind the one that was called.
 */
class AbandonedCallTests {

	private static final long LONG_MILLIS = 20_000;

	private static final int ROUNDS = Integer.getInteger("soak.rounds", 10);

	private static final int CALLS_OF_A_ROUND = 40;

	private static final int SEED = 20_260_704;

	private final Loopback loopback = new Loopback();

	private final ExecutorService executor = Executors.newCachedThreadPool();

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());

	private final Random random = new Random(SEED);

	private final Queue<Long> untilStopped = new ConcurrentLinkedQueue<>();

	private final Set<Run> runs = ConcurrentHashMap.newKeySet();

	private final AtomicInteger running = new AtomicInteger();

	private HikariDataSource pool;

	private Database database;

	private DataSource dataSource;

	private ManagedChannel toBack;

	private ManagedChannel front;

	@AfterEach
	void end() {
		this.loopback.close();
		this.executor.shutdownNow();
		this.pool.close();
	}

	private Server serve(Database database, int connections) {
		this.database = database;
		this.pool = database.pool(connections);
		this.dataSource = this.resilience.work().dataSource(this.pool);
		Server back = this.loopback.serve(this.resilience, new Shop().unary(this::blocking));
		this.toBack = this.loopback.channel(back, this.resilience, "back");
		Server front = this.loopback.serve(this.resilience, new Shop().unary(this::handle));
		Loopback.warmUp(this.loopback.plainChannel(front));
		return front;
	}

	private void handle(String request, StreamObserver<String> observer) {
		switch (request) {
			case "async" -> this.resilience.work().executor(this.executor).execute(() -> blocking(request, observer));
			case "hop" -> {
				try {
					Shop.echo(Loopback.call(this.toBack, CallOptions.DEFAULT, "blocking"), observer);
				}
				catch (RuntimeException ex) {
					observer.onError(ex);
				}
			}
			case "warm" -> Shop.echo(request, observer);
			default -> blocking(request, observer);
		}
	}

	private void blocking(String request, StreamObserver<String> observer) {
		Run run = new Run(System.nanoTime());
		Context.current().addListener((cancelled) -> run.endNanos = System.nanoTime(), Runnable::run);
		this.runs.add(run);
		this.running.incrementAndGet();
		try {
			this.database.keepBusy(this.dataSource, LONG_MILLIS);
			observer.onNext("done");
			observer.onCompleted();
		}
		catch (SQLException ex) {
			if (run.isOld()) {
				this.untilStopped.add(System.nanoTime() - run.endNanos);
			}
			observer.onError(ex);
		}
		finally {
			this.running.decrementAndGet();
			this.runs.remove(run);
		}
	}

	@ParameterizedTest
	@Tag("foreign")
	@CsvSource({ "MARIADB,DEADLINE", "MARIADB,CANCEL" })
	void noStatementOutlivesItsCallOnMariaDb(Database database, Way way) throws Exception {
		noStatementOutlivesItsCall(database, way);
	}

	@ParameterizedTest
	@CsvSource({ "H2,DEADLINE", "H2,CANCEL", "H2,RESET", "POSTGRES,DEADLINE", "POSTGRES,CANCEL", "POSTGRES,RESET" })
	void noStatementOutlivesItsCall(Database database, Way way) throws Exception {
		Server front = serve(database, CALLS_OF_A_ROUND);
		long survivors = 0;
		for (int round = 0; round < ROUNDS; round++) {
			way.abandon(this, front);
			TimeUnit.MILLISECONDS.sleep(150);
			survivors += this.runs.stream().filter(Run::isOld).count();
			await().untilAsserted(() -> assertThat(database.running()).isZero());
			await().until(() -> this.running.get() == 0);
		}
		WorkSums sums = new WorkSums(this.resilience);
		assertThat(sums.cancelled()).isPositive();
		await().until(() -> this.pool.getHikariPoolMXBean().getActiveConnections() == 0);
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
		assertThat(this.resilience.inspection().servedMethods())
			.allSatisfy((method) -> assertThat(method.counts().inFlight()).isZero());
		long[] nanos = this.untilStopped.stream().mapToLong(Long::longValue).toArray();
		Measured.note(database + ", " + ROUNDS * CALLS_OF_A_ROUND + " calls ended by " + way + ": " + sums
				+ "; of statements that were not just begun, the end after the call's: " + Measured.percentiles(nanos)
				+ "; still running 150 ms later: " + survivors + " of " + nanos.length);
	}

	@OnMariaDb
	void poolIsFreeRightAfterItsCallsAreAbandonedOnMariaDb(Database database) throws Exception {
		poolIsFreeRightAfterItsCallsAreAbandoned(database);
	}

	/**
	 * Without cancelling, the pool of four is free again after 3 s at the earliest.
	 */
	@OnEmbeddedDatabases
	void poolIsFreeRightAfterItsCallsAreAbandoned(Database database) throws Exception {
		Server front = serve(database, 4);
		Channel channel = this.loopback.plainChannel(front);
		List<CompletableFuture<Status.Code>> calls = new ArrayList<>();
		for (int i = 0; i < 6; i++) {
			calls.add(call(channel, Loopback.within(300), "blocking"));
		}
		for (CompletableFuture<Status.Code> call : calls) {
			assertThat(call.get(15, TimeUnit.SECONDS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		}
		long begin = System.nanoTime();
		database.keepBusy(this.dataSource, 1);
		long nanos = System.nanoTime() - begin;
		Measured.note(database + ", fresh statement after six abandoned ones on four connections: " + nanos / 1_000_000
				+ " ms");
		assertThat(TimeUnit.NANOSECONDS.toSeconds(nanos)).isLessThan(2);
		await().until(() -> this.running.get() == 0);
	}

	/**
	 * Each statement listens for the end of the call, and leaves nothing behind.
	 */
	@Test
	void callOfManyStatementsKeepsNoneOfThem() throws Exception {
		this.pool = Database.H2.pool(1);
		DataSource statements = this.resilience.work().dataSource(this.pool);
		CompletableFuture<Integer> kept = new CompletableFuture<>();
		Server server = this.loopback.serve(this.resilience, new Shop().unary((request, observer) -> {
			try {
				for (int i = 0; i < 1_000; i++) {
					Database.H2.keepBusy(statements, 0);
				}
				kept.complete(CallScope.current().call().registered());
				Shop.echo(request, observer);
			}
			catch (SQLException ex) {
				kept.completeExceptionally(ex);
				observer.onError(ex);
			}
		}));
		Loopback.call(this.loopback.plainChannel(server), patient(), "many");
		assertThat(kept.get(10, TimeUnit.SECONDS)).isZero();
	}

	private CompletableFuture<Status.Code> call(Channel channel, CallOptions options, String request) {
		return call(channel.newCall(Shop.UNARY, options), request);
	}

	private static CompletableFuture<Status.Code> call(ClientCall<String, String> call, String request) {
		CompletableFuture<Status.Code> code = new CompletableFuture<>();
		ClientCalls.asyncUnaryCall(call, request, new StreamObserver<>() {

			@Override
			public void onNext(String value) {
				// Only the end counts.
			}

			@Override
			public void onError(Throwable thrown) {
				code.complete(Status.fromThrowable(thrown).getCode());
			}

			@Override
			public void onCompleted() {
				code.complete(Status.Code.OK);
			}

		});
		return code;
	}

	private static CallOptions patient() {
		return Loopback.within(LONG_MILLIS);
	}

	private static String style(int number) {
		return List.of("blocking", "async", "hop").get(number % 3);
	}

	private void untilTheyRun() {
		await().until(() -> this.running.get() > CALLS_OF_A_ROUND / 2);
		// What has only just begun gets a grace, and is another test's concern.
		await()
			.until(() -> this.runs.stream().allMatch((run) -> System.nanoTime() - run.begunNanos >= Grace.YOUNG_NANOS));
	}

	private ManagedChannel toFront(int port) {
		if (this.front == null) {
			this.front = this.loopback.channel(port, this.resilience, "front");
		}
		return this.front;
	}

	private enum Way {

		DEADLINE {

			@Override
			void abandon(AbandonedCallTests test, Server server) throws Exception {
				Channel channel = test.toFront(server.getPort());
				List<CompletableFuture<Status.Code>> calls = new ArrayList<>();
				for (int i = 0; i < CALLS_OF_A_ROUND; i++) {
					calls.add(test.call(channel, Loopback.within(60 + test.random.nextInt(60)), style(i)));
				}
				for (CompletableFuture<Status.Code> call : calls) {
					assertThat(call.get(15, TimeUnit.SECONDS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
				}
			}

		},

		CANCEL {

			@Override
			void abandon(AbandonedCallTests test, Server server) throws Exception {
				Channel channel = test.toFront(server.getPort());
				List<ClientCall<String, String>> calls = new ArrayList<>();
				List<CompletableFuture<Status.Code>> codes = new ArrayList<>();
				for (int i = 0; i < CALLS_OF_A_ROUND; i++) {
					calls.add(channel.newCall(Shop.UNARY, patient()));
					codes.add(call(calls.get(i), style(i)));
				}
				test.untilTheyRun();
				calls.forEach((call) -> call.cancel("leaving", null));
				for (CompletableFuture<Status.Code> code : codes) {
					assertThat(code.get(15, TimeUnit.SECONDS)).isEqualTo(Status.Code.CANCELLED);
				}
			}

		},

		RESET {

			@Override
			void abandon(AbandonedCallTests test, Server server) throws Exception {
				try (Relay relay = new Relay(server.getPort())) {
					ManagedChannel channel = test.loopback.channel(relay.port(), test.resilience, "front");
					List<CompletableFuture<Status.Code>> calls = new ArrayList<>();
					for (int i = 0; i < CALLS_OF_A_ROUND; i++) {
						calls.add(test.call(channel, patient(), style(i)));
					}
					test.untilTheyRun();
					relay.reset();
					for (CompletableFuture<Status.Code> call : calls) {
						assertThat(call.get(15, TimeUnit.SECONDS)).isEqualTo(Status.Code.UNAVAILABLE);
					}
				}
			}

		};

		abstract void abandon(AbandonedCallTests test, Server server) throws Exception;

	}

	/** A statement, from its beginning to the end of its call. */
	private static final class Run {

		private final long begunNanos;

		private volatile long endNanos;

		Run(long begunNanos) {
			this.begunNanos = begunNanos;
		}

		/** What was just begun may be cleaning up, and has a grace. */
		boolean isOld() {
			return this.endNanos != 0 && this.endNanos - this.begunNanos >= Grace.YOUNG_NANOS;
		}

	}

	private record WorkSums(long refused, long cancelled, long aborted) {

		WorkSums(GrpcResilience resilience) {
			this(resilience.inspection().stoppedWork().sums(Work.STATEMENT).refused(),
					resilience.inspection().stoppedWork().sums(Work.STATEMENT).cancelled(),
					resilience.inspection().stoppedWork().sums(Work.STATEMENT).aborted());
		}

	}

}
