package io.github.grpcresilience.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Drivers and connections that fail while a statement is being cancelled.
 */
class StatementFaultTests {

	private static final long LONG_MILLIS = 25_000;

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final CallConnections connections = new CallConnections(this.resilience::canceller);

	private final HikariDataSource pool = Database.POSTGRES.pool(1);

	private final ExecutorService handlers = Executors.newCachedThreadPool();

	private final CancellableContext call = Context.current().withCancellation();

	private final CountDownLatch neverMind = new CountDownLatch(1);

	@AfterEach
	void end() {
		this.neverMind.countDown();
		this.handlers.shutdownNow();
		this.pool.close();
		this.resilience.close();
		// Aborting a connection leaves PostgreSQL at work.
		Database.killPostgresBackends();
	}

	/** Runs a long statement in the call, until it is cancelled. */
	private CompletableFuture<Throwable> keepBusy(DataSource dataSource) {
		CompletableFuture<Throwable> outcome = CompletableFuture.supplyAsync(() -> {
			Context previous = this.call.attach();
			try (Connection connection = this.connections.get((maxMillis) -> dataSource.getConnection(),
					(given) -> this.pool.evictConnection(FaultyDriver.inside(given)))) {
				Database.POSTGRES.keepBusy(connection, LONG_MILLIS);
				return null;
			}
			catch (SQLException ex) {
				return ex;
			}
			finally {
				this.call.detach(previous);
			}
		}, this.handlers);
		await().pollInterval(Duration.ofMillis(5)).until(() -> Database.POSTGRES.running() == 1);
		return outcome;
	}

	private void leave() {
		this.call.cancel(new IllegalStateException("the caller left"));
	}

	private void assertCancelled(CompletableFuture<Throwable> outcome) throws Exception {
		assertThat(Status.fromThrowable(outcome.get(15, TimeUnit.SECONDS)).getCode()).isEqualTo(Status.Code.CANCELLED);
	}

	/** The pool has one connection, so a bad one could not be missed. */
	private void assertPoolIsWhole() throws SQLException {
		for (int i = 0; i < 3; i++) {
			Database.POSTGRES.keepBusy(this.pool, 1);
		}
		assertThat(this.pool.getHikariPoolMXBean().getActiveConnections()).isZero();
		assertThat(this.resilience.pendingTimeouts()).isLessThan(10);
	}

	@Test
	void driverThatCannotCancelLosesTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
			throw new SQLException("cannot cancel");
		}));
		leave();
		assertCancelled(outcome);
		assertThat(this.resilience.stoppedWork().sums(Work.STATEMENT).aborted()).isEqualTo(1);
		assertPoolIsWhole();
	}

	@Test
	void driverThatFailsUnexpectedlyLosesTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
			throw new IllegalStateException("a defect");
		}));
		leave();
		assertCancelled(outcome);
		assertPoolIsWhole();
	}

	@Test
	void cancelThatBlocksLosesTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> block()));
		leave();
		assertCancelled(outcome);
		assertThat(this.resilience.stoppedWork().sums(Work.STATEMENT).aborted()).isEqualTo(1);
		assertPoolIsWhole();
	}

	/** Such a cancel may still hit whatever the connection does next. */
	@Test
	void cancelThatBlocksAfterTheStatementEndedLosesTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
			statement.cancel();
			block();
		}));
		leave();
		assertCancelled(outcome);
		assertThat(this.resilience.stoppedWork().sums(Work.STATEMENT).aborted()).isEqualTo(1);
		assertPoolIsWhole();
	}

	/** It says that it did, and did not. */
	@Test
	void statementThatIgnoresItsCancelLosesTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.unknown(this.pool, (statement) -> {
		}));
		leave();
		assertCancelled(outcome);
		assertThat(this.resilience.stoppedWork().sums(Work.STATEMENT).aborted()).isEqualTo(1);
		assertPoolIsWhole();
	}

	/** The first one came before the server had begun, as it were. */
	@Test
	void cancelThatGotLostIsRepeated() throws Exception {
		AtomicInteger cancels = new AtomicInteger();
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.unknown(this.pool, (statement) -> {
			if (cancels.incrementAndGet() == 3) {
				statement.cancel();
			}
		}));
		leave();
		assertCancelled(outcome);
		assertThat(cancels).hasValue(3);
		assertThat(this.resilience.stoppedWork().sums(Work.STATEMENT).aborted()).isZero();
		assertPoolIsWhole();
	}

	/** PostgreSQL's driver asks the server once for each execution. */
	@Test
	void cancelThatGotLostIsRepeatedByTheAdapter() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
		}));
		leave();
		assertCancelled(outcome);
		assertThat(this.resilience.stoppedWork().sums(Work.STATEMENT).aborted()).isZero();
		assertPoolIsWhole();
	}

	@Test
	void cancelThatFailsAtTheSecondTimeLosesTheConnection() throws Exception {
		AtomicInteger cancels = new AtomicInteger();
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.unknown(this.pool, (statement) -> {
			if (cancels.incrementAndGet() > 1) {
				throw new SQLException("no longer");
			}
		}));
		leave();
		assertCancelled(outcome);
		assertThat(this.resilience.stoppedWork().sums(Work.STATEMENT).aborted()).isEqualTo(1);
		assertPoolIsWhole();
	}

	@Test
	void statementClosedByAnotherThreadHangsNobody() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
			statement.cancel();
			statement.close();
		}));
		leave();
		assertCancelled(outcome);
		assertPoolIsWhole();
	}

	@Test
	void connectionThatDiesDuringTheCancelHangsNobody() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
			int pid = statement.getConnection().unwrap(PGConnection.class).getBackendPID();
			kill(pid);
			statement.cancel();
		}));
		leave();
		assertCancelled(outcome);
		assertPoolIsWhole();
	}

	/**
	 * The executing thread learns of it after the cancel has failed.
	 */
	@Test
	void statementThatFailsAfterAFailedCancelWasCancelled() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
			int pid = statement.getConnection().unwrap(PGConnection.class).getBackendPID();
			CompletableFuture.delayedExecutor(70, TimeUnit.MILLISECONDS, this.handlers).execute(() -> kill(pid));
			throw new SQLException("cannot cancel");
		}));
		leave();
		assertCancelled(outcome);
		assertPoolIsWhole();
	}

	private static void kill(int pid) {
		try (Connection other = java.sql.DriverManager.getConnection(Database.POSTGRES.url());
				Statement killer = other.createStatement()) {
			killer.execute("select pg_terminate_backend(" + pid + ")");
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Test
	void poolThatIsShutDownDuringTheCancelHangsNobody() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
			this.pool.close();
			statement.cancel();
		}));
		leave();
		assertThat(outcome.get(15, TimeUnit.SECONDS)).isNotNull();
		assertThat(this.resilience.pendingTimeouts()).isLessThan(10);
	}

	/** Cancels that block hold all threads that there are for it. */
	@Test
	void blockedCancelsDoNotKeepOthersFromEnding() throws Exception {
		int many = Math.max(32, 4 * Runtime.getRuntime().availableProcessors()) + 3;
		try (HikariDataSource large = Database.POSTGRES.pool(many)) {
			CompletableFuture<?>[] outcomes = new CompletableFuture<?>[many];
			for (int i = 0; i < many; i++) {
				outcomes[i] = CompletableFuture.runAsync(this.call.wrap(() -> {
					try (Connection connection = this.connections.get(
							(maxMillis) -> FaultyDriver.around(large, (statement) -> block()).getConnection(),
							ConnectionEvictor.NONE)) {
						Database.POSTGRES.keepBusy(connection, LONG_MILLIS);
					}
					catch (SQLException ex) {
						assertThat(Status.fromThrowable(ex).getCode()).isEqualTo(Status.Code.CANCELLED);
					}
				}), this.handlers);
			}
			await().until(() -> Database.POSTGRES.running() == many);
			leave();
			CompletableFuture.allOf(outcomes).get(15, TimeUnit.SECONDS);
			await().until(() -> large.getHikariPoolMXBean().getActiveConnections() == 0);
		}
	}

	private void block() {
		try {
			this.neverMind.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
