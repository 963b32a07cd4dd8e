package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts.Sums;
import io.github.grpcresilience.policy.Mode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

class StatementTests {

	/** Far longer than any test waits for the end of a statement. */
	private static final long LONG_MILLIS = 25_000;

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(1);

	private final TestCall call = TestCall.begin();

	private final CallWork work = new CallWork(this.call);

	private HikariDataSource pool;

	@AfterEach
	void end() {
		this.call.close();
		this.scheduler.shutdownNow();
		if (this.pool != null) {
			this.pool.close();
		}
		this.resilience.close();
	}

	private DataSource open(Database database) {
		this.pool = database.pool(2);
		return this.resilience.work().dataSource(this.pool);
	}

	@OnMariaDb
	void runningStatementStopsWithItsCallOnMariaDb(Database database) throws Exception {
		runningStatementStopsWithItsCall(database);
	}

	@OnEmbeddedDatabases
	void runningStatementStopsWithItsCall(Database database) throws Exception {
		DataSource dataSource = open(database);
		SQLException thrown = this.work.stopWhileRunning(database, () -> database.keepBusy(dataSource, LONG_MILLIS));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(thrown.getSQLState()).isEqualTo("57014");
		await().until(() -> database.running() == 0);
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).cancelled()).isEqualTo(1);
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).aborted()).isZero();
	}

	@OnMariaDb
	void deadlineStopsStatementAndIsWhatTheHandlerSeesOnMariaDb(Database database) throws Exception {
		deadlineStopsStatementAndIsWhatTheHandlerSees(database);
	}

	@OnEmbeddedDatabases
	void deadlineStopsStatementAndIsWhatTheHandlerSees(Database database) throws Exception {
		DataSource dataSource = open(database);
		this.scheduler.execute(() -> {
			await().pollInterval(Duration.ofMillis(5)).until(() -> database.running() > 0);
			this.call.timeOut();
		});
		SQLException thrown = catchThrowableOfType(SQLException.class,
				() -> this.work.run(() -> database.keepBusy(dataSource, LONG_MILLIS)));
		assertThat((Throwable) thrown).isInstanceOf(SQLTimeoutException.class);
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
	}

	@OnMariaDb
	void connectionIsAsGoodAsNewAfterwardsOnMariaDb(Database database) throws Exception {
		connectionIsAsGoodAsNewAfterwards(database);
	}

	@OnEmbeddedDatabases
	void connectionIsAsGoodAsNewAfterwards(Database database) throws Exception {
		DataSource dataSource = open(database);
		try (Connection connection = dataSource.getConnection()) {
			connection.setAutoCommit(false);
			this.work.stopWhileRunning(database, () -> database.keepBusy(connection, LONG_MILLIS));
			connection.rollback();
			assertThat(database.echo(connection, 7)).isEqualTo(7);
			connection.commit();
		}
	}

	@OnMariaDb
	void batchStopsWithItsCallOnMariaDb(Database database) throws Exception {
		batchStopsWithItsCall(database);
	}

	@OnEmbeddedDatabases
	void batchStopsWithItsCall(Database database) throws Exception {
		DataSource dataSource = open(database);
		SQLException thrown = this.work.stopWhileRunning(database, () -> runBatch(dataSource, database));
		assertThat((Throwable) thrown).isNotInstanceOf(BatchUpdateException.class);
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
		await().until(() -> database.running() == 0);
	}

	private static void runBatch(DataSource dataSource, Database database) throws SQLException {
		try (Connection connection = dataSource.getConnection();
				PreparedStatement statement = connection.prepareStatement(database.busyUpdateSql())) {
			for (int i = 0; i < 5; i++) {
				database.bind(statement, LONG_MILLIS);
				statement.addBatch();
			}
			statement.executeBatch();
		}
	}

	@Test
	void callableStatementStopsWithItsCall() throws Exception {
		DataSource dataSource = open(Database.POSTGRES);
		SQLException thrown = this.work.stopWhileRunning(Database.POSTGRES, () -> {
			try (Connection connection = dataSource.getConnection();
					CallableStatement statement = connection.prepareCall("{call pg_sleep(?)}")) {
				statement.setDouble(1, LONG_MILLIS / 1_000.0);
				statement.execute();
			}
		});
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
	}

	/**
	 * PostgreSQL makes the rows while they are fetched, each after a while.
	 */
	@Test
	void fetchingStopsWithItsCall() throws Exception {
		DataSource dataSource = open(Database.POSTGRES);
		CompletableFuture<Integer> firstPortion = new CompletableFuture<>();
		SQLException thrown = this.work.stopOnce(firstPortion, () -> {
			try (Connection connection = dataSource.getConnection();
					Statement statement = connection.createStatement()) {
				connection.setAutoCommit(false);
				statement.setFetchSize(2);
				ResultSet rows = statement
					.executeQuery("select i, case when i > 3 then pg_sleep(25) end from generate_series(1, 1000) i");
				assertThat(rows.getStatement()).isSameAs(statement);
				for (int i = 1; rows.next(); i++) {
					assertThat(rows.getInt(1)).isEqualTo(i);
					if (i == 2) {
						firstPortion.complete(i);
					}
				}
			}
		});
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
		await().until(() -> Database.POSTGRES.running() == 0);
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).aborted()).isZero();
	}

	/**
	 * Derby has done nothing yet when it hands out the rows.
	 */
	@Test
	void rowsThatAreAskedForAfterTheEndAreRefusedAndCounted() throws Exception {
		DataSource dataSource = open(Database.DERBY);
		this.call.call(() -> {
			try (Connection connection = dataSource.getConnection();
					Statement statement = connection.createStatement();
					ResultSet rows = statement.executeQuery("values 1")) {
				this.call.abandon();
				assertThatExceptionOfType(SQLTimeoutException.class).isThrownBy(rows::next);
			}
			return null;
		});
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT)).isEqualTo(new Sums(1, 0, 0));
	}

	/**
	 * Off unless asked for: an answer could not take it back.
	 */
	@Test
	void statementsGetNoTimeLimitOfTheDriver() throws Exception {
		DataSource dataSource = open(Database.POSTGRES);
		this.call.within(1_700, TimeUnit.MILLISECONDS);
		try (Connection connection = dataSource.getConnection(); Statement statement = connection.createStatement()) {
			this.work.run(() -> assertThat(limitWhileRunning(statement)).isZero());
		}
	}

	@Test
	void timeLimitIsPutBackWhereItIsAskedFor() throws Exception {
		this.pool = Database.POSTGRES.pool(2);
		CallConnections limiting = new CallConnections(this.resilience.work()::canceller, true, Set::of);
		this.call.within(19_700, TimeUnit.MILLISECONDS);
		try (Connection connection = limiting.beneath(this.pool.getConnection(), ConnectionLender.UNKNOWN);
				Statement statement = connection.createStatement()) {
			this.work.run(() -> assertThat(limitWhileRunning(statement)).isBetween(5, 20));
			assertThat(statement.getQueryTimeout()).isZero();
			statement.setQueryTimeout(1);
			this.work.run(() -> assertThat(limitWhileRunning(statement)).isEqualTo(1));
			statement.setQueryTimeout(90);
			this.work.run(() -> assertThat(limitWhileRunning(statement)).isBetween(5, 20));
			assertThat(statement.getQueryTimeout()).isEqualTo(90);
		}
	}

	@Test
	void timeLimitIsPutBackAfterAFailure() throws Exception {
		this.pool = Database.POSTGRES.pool(1);
		CallConnections limiting = new CallConnections(this.resilience.work()::canceller, true, Set::of);
		this.call.within(1_700, TimeUnit.MILLISECONDS);
		try (Connection connection = limiting.beneath(this.pool.getConnection(), ConnectionLender.UNKNOWN);
				Statement statement = connection.createStatement()) {
			this.work.run(() -> assertThatExceptionOfType(SQLException.class)
				.isThrownBy(() -> statement.executeQuery("select 1 / 0")));
			assertThat(statement.getQueryTimeout()).isZero();
			assertThat((Throwable) this.work.stopWhileRunning(Database.POSTGRES,
					() -> statement.executeQuery("select 0 from pg_sleep(25)")))
				.isInstanceOf(SQLTimeoutException.class);
			assertThat(statement.getQueryTimeout()).isZero();
		}
	}

	/** Asked by another thread, as the driver is busy. */
	private int limitWhileRunning(Statement statement) throws SQLException {
		CompletableFuture<Integer> limit = CompletableFuture.supplyAsync(() -> {
			await().pollInterval(Duration.ofMillis(5)).until(() -> Database.POSTGRES.running() > 0);
			try {
				return statement.getQueryTimeout();
			}
			catch (SQLException ex) {
				throw new IllegalStateException(ex);
			}
		});
		statement.executeQuery("select 0 from pg_sleep(0.3)").close();
		return limit.join();
	}

	/**
	 * What outlives an answered call, whose Context is cancelled as well, is left alone.
	 */
	@Test
	void workAfterTheAnswerGoesOn() throws Exception {
		DataSource dataSource = open(Database.H2);
		soon(this.call::answer);
		this.work.run(() -> Database.H2.keepBusy(dataSource, 700));
		assertThat(this.call.record().isAnswered()).isTrue();
		this.call.timeOut();
		this.work.run(() -> Database.H2.keepBusy(dataSource, 1));
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).cancelled()).isZero();
	}

	@Test
	void observingCountsAndChangesNothing() throws Exception {
		this.pool = Database.H2.pool(2);
		try (GrpcResilience observing = GrpcResilience.builder().mode(Mode.OBSERVE).build()) {
			DataSource dataSource = observing.work().dataSource(this.pool);
			soon(this.call::abandon);
			this.work.run(() -> Database.H2.keepBusy(dataSource, 700));
			this.work.run(() -> Database.H2.keepBusy(dataSource, 1));
			assertThat(observing.inspection().stoppedWork().sums(Work.STATEMENT).cancelled()).isEqualTo(1);
			assertThat(observing.inspection().stoppedWork().sums(Work.STATEMENT).refused()).isEqualTo(1);
		}
	}

	@Test
	void driverIsReachableThroughTheWrappers() throws Exception {
		DataSource dataSource = open(Database.POSTGRES);
		assertThat(dataSource.isWrapperFor(HikariDataSource.class)).isTrue();
		assertThat(dataSource.unwrap(HikariDataSource.class)).isSameAs(this.pool);
		try (Connection connection = dataSource.getConnection(); Statement statement = connection.createStatement()) {
			assertThat(connection.isWrapperFor(PGConnection.class)).isTrue();
			assertThat(connection.unwrap(PGConnection.class).getBackendPID()).isPositive();
			assertThat(statement.getConnection()).isSameAs(connection);
			assertThat(statement.isWrapperFor(org.postgresql.PGStatement.class)).isTrue();
			assertThat(connection.unwrap(Connection.class)).isSameAs(connection);
		}
	}

	/** Agents ask so for the driver's, whose connection they know. */
	@Test
	void statementsUnwrapToTheDrivers() throws Exception {
		DataSource dataSource = open(Database.H2);
		try (Connection connection = dataSource.getConnection();
				Statement statement = connection.createStatement();
				PreparedStatement prepared = connection.prepareStatement("select 1")) {
			assertThat(statement.unwrap(Statement.class)).isSameAs(((CallStatement) statement).delegate);
			assertThat(prepared.unwrap(PreparedStatement.class)).isSameAs(((CallStatement) prepared).delegate);
		}
	}

	@Test
	void dataSourceAroundOneThatIsWrappedAlreadyWrapsNothingTwice() throws Exception {
		DataSource twice = this.resilience.work().dataSource(open(Database.H2));
		try (Connection connection = twice.getConnection(); Statement statement = connection.createStatement()) {
			assertThat(((CallConnection) connection).delegate).isNotInstanceOf(CallConnection.class);
			assertThat(((CallStatement) statement).delegate).isNotInstanceOf(CallStatement.class);
		}
	}

	private void soon(Runnable end) {
		this.scheduler.execute(() -> {
			await().pollInterval(Duration.ofMillis(5)).until(() -> Database.H2.running() > 0);
			end.run();
		});
	}

}
