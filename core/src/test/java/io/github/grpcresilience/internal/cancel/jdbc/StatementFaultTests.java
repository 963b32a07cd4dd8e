package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

import io.github.grpcresilience.FastTime;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.WorkCanceller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Drivers and connections that fail while a statement is being cancelled.
 */
class StatementFaultTests {

	private static final long LONG_MILLIS = 25_000;

	/** Twenty times as fast: a driver is given seconds. */
	private final FastTime time = new FastTime(20);

	private final WorkCounts counts = new WorkCounts();

	private final ExecutorService handlers = Executors.newCachedThreadPool();

	private final List<ExecutorService> lanes = new CopyOnWriteArrayList<>();

	private final WorkCanceller canceller = new WorkCanceller(true, this.handlers, this::newLane, this.time, this.time,
			this.counts, (event) -> {
			});

	private CallConnections connections = new CallConnections(() -> this.canceller, false, Set::of);

	private final HikariDataSource pool = Database.POSTGRES.pool(1);

	private final CallRecord call = new CallRecord(this.time, false);

	private final CountDownLatch neverMind = new CountDownLatch(1);

	private ExecutorService newLane() {
		ExecutorService lane = Executors.newFixedThreadPool(3);
		this.lanes.add(lane);
		return lane;
	}

	@AfterEach
	void end() {
		this.neverMind.countDown();
		this.handlers.shutdownNow();
		this.lanes.forEach(ExecutorService::shutdownNow);
		this.pool.close();
		this.time.close();
		// Aborting a connection leaves PostgreSQL at work.
		Database.killPostgresBackends();
	}

	/** Runs a long statement in the call, until it is cancelled. */
	private CompletableFuture<Throwable> keepBusy(DataSource dataSource) {
		CompletableFuture<Throwable> outcome = CompletableFuture.supplyAsync(() -> failureOfBusy(dataSource, this.pool),
				this.handlers);
		await().pollInterval(Duration.ofMillis(5)).until(() -> Database.POSTGRES.running() == 1);
		return outcome;
	}

	private Throwable failureOfBusy(DataSource dataSource, HikariDataSource evicting) {
		CallScope outer = CallScope.ofHandler(this.call).enter();
		try (Connection connection = this.connections.get((maxMillis) -> dataSource.getConnection(),
				new Lender(evicting))) {
			Database.POSTGRES.keepBusy(connection, LONG_MILLIS);
			return null;
		}
		catch (SQLException ex) {
			return ex;
		}
		finally {
			CallScope.leave(outer);
		}
	}

	private void leave() {
		assertThat(this.call.end(false)).isTrue();
		this.call.tell();
	}

	private void assertCancelled(CompletableFuture<Throwable> outcome) throws Exception {
		Throwable failure = outcome.get(15, TimeUnit.SECONDS);
		assertThat(failure).isInstanceOf(SQLTimeoutException.class);
		assertThat(Status.fromThrowable(failure).getCode()).isEqualTo(Status.Code.CANCELLED);
	}

	/** The pool has one connection, so a bad one could not be missed. */
	private void assertPoolIsWhole() throws SQLException {
		for (int i = 0; i < 3; i++) {
			Database.POSTGRES.keepBusy(this.pool, 1);
		}
		assertThat(this.pool.getHikariPoolMXBean().getActiveConnections()).isZero();
	}

	@Test
	void driverThatCannotCancelLosesTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.unknown(this.pool, (statement) -> {
			throw new SQLException("cannot cancel");
		}));
		leave();
		assertCancelled(outcome);
		assertThat(this.counts.sums(Work.STATEMENT).aborted()).isEqualTo(1);
		assertPoolIsWhole();
	}

	@Test
	void driverThatFailsUnexpectedlyLosesTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.unknown(this.pool, (statement) -> {
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
		assertThat(this.counts.sums(Work.STATEMENT).aborted()).isEqualTo(1);
		assertPoolIsWhole();
	}

	/** Such a cancel may still hit whatever the connection does next. */
	@Test
	void cancelThatBlocksAfterTheStatementEndedCostsTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
			statement.cancel();
			block();
		}));
		String before = backend();
		leave();
		assertCancelled(outcome);
		// Its user gave it back, so that nothing had to be aborted.
		assertThat(this.counts.sums(Work.STATEMENT).aborted()).isZero();
		assertPoolIsWhole();
		assertThat(backend()).isNotEqualTo(before);
	}

	/** It says that it did, and did not. */
	@Test
	void statementThatIgnoresItsCancelLosesTheConnection() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.unknown(this.pool, (statement) -> {
		}));
		leave();
		assertCancelled(outcome);
		assertThat(this.counts.sums(Work.STATEMENT).aborted()).isEqualTo(1);
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
		assertThat(cancels.get()).isGreaterThanOrEqualTo(3);
		assertThat(this.counts.sums(Work.STATEMENT).aborted()).isZero();
		assertPoolIsWhole();
	}

	/** PostgreSQL's driver asks the server once for each execution. */
	@Test
	void cancelThatGotLostIsRepeatedByTheAdapter() throws Exception {
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.around(this.pool, (statement) -> {
		}));
		leave();
		assertCancelled(outcome);
		assertThat(this.counts.sums(Work.STATEMENT).aborted()).isZero();
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
		assertThat(this.counts.sums(Work.STATEMENT).aborted()).isEqualTo(1);
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

	/** Which backend of the database works for the pool's only connection. */
	private static String backend() {
		try (Connection other = java.sql.DriverManager.getConnection(Database.POSTGRES.url());
				Statement statement = other.createStatement();
				ResultSet rows = statement.executeQuery("select string_agg(pid::text, ',') from pg_stat_activity"
						+ " where application_name = 'tests' and pid <> pg_backend_pid()")) {
			rows.next();
			return rows.getString(1);
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
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
	}

	/** Cancels that block hold all threads that there are for the database. */
	@Test
	void blockedCancelsDoNotKeepOthersFromEnding() throws Exception {
		int many = 12;
		try (HikariDataSource large = Database.POSTGRES.pool(many)) {
			List<CompletableFuture<Throwable>> outcomes = new ArrayList<>();
			for (int i = 0; i < many; i++) {
				outcomes.add(CompletableFuture.supplyAsync(
						() -> failureOfBusy(FaultyDriver.around(large, (statement) -> block()), large), this.handlers));
			}
			await().until(() -> Database.POSTGRES.running() == many);
			leave();
			// Those whose cancel blocks lose their connections, the others wait for
			// theirs.
			await().until(() -> this.counts.sums(Work.STATEMENT).aborted() > 0);
			this.neverMind.countDown();
			for (CompletableFuture<Throwable> outcome : outcomes) {
				assertCancelled(outcome);
			}
			await().until(() -> large.getHikariPoolMXBean().getActiveConnections() == 0);
		}
	}

	/** Some drivers do not give a connection up before its statement ends. */
	@Test
	void abortThatBlocksKeepsNobodyElseFromBeingTold() throws Exception {
		ExecutorService cancellations = Executors.newSingleThreadExecutor();
		this.lanes.add(cancellations);
		CountDownLatch aborting = new CountDownLatch(1);
		WorkCanceller single = new WorkCanceller(true, cancellations, this::newLane, this.time, this.time, this.counts,
				(event) -> {
				});
		this.connections = new CallConnections(() -> single, false, Set::of);
		CompletableFuture<Throwable> outcome = keepBusy(FaultyDriver.stubborn(this.pool, () -> {
			aborting.countDown();
			block();
		}));
		leave();
		assertThat(aborting.await(15, TimeUnit.SECONDS)).isTrue();
		CompletableFuture<Boolean> told = new CompletableFuture<>();
		single.cancel(() -> told.complete(true));
		assertThat(told.get(15, TimeUnit.SECONDS)).isTrue();
		this.neverMind.countDown();
		assertCancelled(outcome);
	}

	/** A database that does not answer keeps no other one from being told. */
	@Test
	void blockedCancelsOfOneDataSourceDoNotConcernAnother() throws Exception {
		try (HikariDataSource other = Database.POSTGRES.pool(1)) {
			for (int i = 0; i < 3; i++) {
				this.connections.lane().execute(this::block);
			}
			CallConnections healthy = new CallConnections(() -> this.canceller, false, Set::of);
			CompletableFuture<Throwable> outcome = CompletableFuture.supplyAsync(() -> {
				CallScope outer = CallScope.ofHandler(this.call).enter();
				try (Connection connection = healthy.get((maxMillis) -> other.getConnection(),
						ConnectionLender.UNKNOWN)) {
					Database.POSTGRES.keepBusy(connection, LONG_MILLIS);
					return null;
				}
				catch (SQLException ex) {
					return ex;
				}
				finally {
					CallScope.leave(outer);
				}
			}, this.handlers);
			await().pollInterval(Duration.ofMillis(5)).until(() -> Database.POSTGRES.running() == 1);
			leave();
			assertCancelled(outcome);
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

	private record Lender(HikariDataSource pool) implements ConnectionLender {

		@Override
		public void aborting(Connection connection) {
			this.pool.evictConnection(FaultyDriver.inside(connection));
		}

		@Override
		public void giveBack(Connection connection) throws SQLException {
			aborting(connection);
			connection.close();
		}

	}

}
