package io.github.grpcresilience.internal.cancel.jdbc;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.test.Relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

/**
 * What a MariaDB server and its two drivers need.
 */
@Tag("foreign")
class MariaDbTests {

	private static final long LONG_MILLIS = 20_000;

	/** Rows, of which one takes long. */
	private static final String ROWS = "select seq, repeat('x', 20000),"
			+ " if(seq = 100, benchmark(2000000000, md5('x')), 0) from seq_1_to_200";

	private static final int CONNECTIONS = 5;

	private static final int ROUNDS = 2;

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);

	private final ExecutorService handlers = Executors.newCachedThreadPool();

	private final TestCall call = TestCall.begin();

	private final CallWork work = new CallWork(this.call);

	private HikariDataSource pool;

	@AfterEach
	void end() {
		this.call.close();
		this.timer.shutdownNow();
		this.handlers.shutdownNow();
		if (this.pool != null) {
			this.pool.close();
		}
		this.resilience.close();
	}

	private DataSource open(Database database, int connections) {
		this.pool = database.pool(connections);
		return this.resilience.work().dataSource(this.pool);
	}

	/**
	 * A cancel logs in before it asks, which takes several round trips of 60 ms.
	 */
	@OnMariaDb
	void cancelOverSlowNetworkKeepsTheConnection(Database database) throws Exception {
		try (Relay network = new Relay(database.port(), Duration.ofMillis(30))) {
			this.pool = database.pool(CONNECTIONS, database.url(network.port()));
			await().until(() -> this.pool.getHikariPoolMXBean().getIdleConnections() == CONNECTIONS);
			Set<Long> before = Set.copyOf(connectionIds(this.pool));
			DataSource dataSource = this.resilience.work().dataSource(this.pool);
			for (int round = 0; round < ROUNDS; round++) {
				List<CompletableFuture<Void>> calls = new ArrayList<>();
				for (int i = 0; i < CONNECTIONS; i++) {
					calls.add(CompletableFuture.runAsync(() -> runOutOfTime(database, dataSource), this.handlers));
				}
				CompletableFuture.allOf(calls.toArray(CompletableFuture<?>[]::new)).get(20, TimeUnit.SECONDS);
				assertThat(database.running()).isZero();
			}
			assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).cancelled())
				.isEqualTo(CONNECTIONS * ROUNDS);
			assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).aborted()).isZero();
			assertThat(connectionIds(this.pool)).containsExactlyInAnyOrderElementsOf(before);
		}
		assertThat(naps(database)).isZero();
	}

	private void runOutOfTime(Database database, DataSource dataSource) {
		TestCall call = TestCall.begin();
		try (Connection connection = dataSource.getConnection();
				Statement insert = connection.createStatement();
				PreparedStatement busy = connection.prepareStatement(database.busySql())) {
			connection.setAutoCommit(false);
			insert.executeUpdate("insert into naps values (7)");
			database.bind(busy, LONG_MILLIS);
			SQLException thrown = catchThrowableOfType(SQLException.class,
					() -> call.timingOutAfter(300, TimeUnit.MILLISECONDS, this.timer)
						.call(() -> busy.executeQuery().next()));
			assertThat((Throwable) thrown).isInstanceOf(SQLTimeoutException.class);
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			connection.rollback();
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
		call.close();
	}

	private static List<Long> connectionIds(HikariDataSource pool) throws SQLException {
		List<Connection> connections = new ArrayList<>();
		List<Long> ids = new ArrayList<>();
		for (int i = 0; i < CONNECTIONS; i++) {
			Connection connection = pool.getConnection();
			connections.add(connection);
			ids.add(number(connection, "select connection_id()"));
		}
		for (Connection connection : connections) {
			connection.close();
		}
		return ids;
	}

	/** Sent with a time limit it would not be the statement that the driver knows. */
	@Test
	void fileIsLoadedInACallWithADeadline(@TempDir Path folder) throws Exception {
		Path file = Files.writeString(folder.resolve("naps.txt"), "1\n2\n3\n");
		this.pool = Database.MARIADB.pool(1);
		this.call.within(1_700, TimeUnit.MILLISECONDS);
		try (Connection connection = limited(); Statement statement = connection.createStatement()) {
			this.work.run(() -> assertThat(
					statement.executeUpdate("load data local infile '" + file + "' into table naps (nap)"))
				.isEqualTo(3));
			statement.executeUpdate("delete from naps");
		}
	}

	@Test
	void statementIsPreparedOnceForManyCallsWithDeadlines() throws Exception {
		this.pool = Database.MARIADB.pool(1, Database.MARIADB.url() + "&useServerPrepStmts=true");
		try (Connection connection = limited()) {
			long before = prepared(connection);
			for (int i = 0; i < 60; i++) {
				TestCall call = TestCall.begin().within(1_700 + 10 * i, TimeUnit.MILLISECONDS);
				int expected = i;
				assertThat(call.call(() -> Database.MARIADB.echo(connection, expected))).isEqualTo(i);
				call.close();
			}
			assertThat(prepared(connection) - before).isEqualTo(1);
		}
	}

	private static long prepared(Connection connection) throws SQLException {
		return number(connection, "select variable_value from information_schema.session_status"
				+ " where variable_name = 'Com_stmt_prepare'");
	}

	/** Where time limits are asked for, which this driver does not do well. */
	private Connection limited() throws SQLException {
		return new CallConnections(this.resilience.work()::canceller, true, Set::of).beneath(this.pool.getConnection(),
				ConnectionLender.UNKNOWN);
	}

	/** The server answers with what it has, which is wrong. */
	@OnMariaDb
	void functionThatIsKilledIsNotTakenForDone(Database database) throws Exception {
		DataSource dataSource = open(database, 1);
		SQLException thrown = catchThrowableOfType(SQLException.class, () -> this.work.run(() -> {
			try (Connection connection = dataSource.getConnection();
					Statement statement = connection.createStatement()) {
				connection.setAutoCommit(false);
				statement.executeUpdate("insert into naps values (7)");
				this.call.timingOutAfter(300, TimeUnit.MILLISECONDS, this.timer);
				SQLException stopped = catchThrowableOfType(SQLException.class,
						() -> statement.executeQuery("select benchmark(2000000000, md5('x'))").close());
				assertThat(stopped.getSQLState()).isEqualTo("57014");
				connection.commit();
			}
		}));
		assertThat((Throwable) thrown).isInstanceOf(SQLTimeoutException.class).hasMessageContaining("rolled back");
		assertThat(naps(database)).isZero();
	}

	/** MySQL's driver does not cancel a statement whose rows are being read. */
	@OnMariaDb
	void readingRowsStopsWithItsCall(Database database) throws Exception {
		DataSource dataSource = open(database, 1);
		CompletableFuture<Void> firstRow = new CompletableFuture<>();
		SQLException thrown = this.work.stopOnce(firstRow, () -> {
			try (Connection connection = dataSource.getConnection();
					Statement statement = streaming(connection, database);
					ResultSet rows = statement.executeQuery(ROWS)) {
				while (rows.next()) {
					firstRow.complete(null);
				}
			}
		});
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
		await().until(() -> database.running() == 0);
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).aborted()).isZero();
		assertThat(this.pool.getHikariPoolMXBean().getTotalConnections()).isEqualTo(1);
	}

	/** Both drivers read on when rows are closed. */
	@OnMariaDb
	void rowsThatNobodyWaitsForAreNotReadOn(Database database) throws Exception {
		DataSource dataSource = open(database, 1);
		for (Closing closing : Closing.values()) {
			TestCall call = TestCall.begin();
			try (Connection connection = dataSource.getConnection();
					Statement statement = streaming(connection, database)) {
				connection.setAutoCommit(false);
				ResultSet rows = call.call(() -> statement.executeQuery(ROWS));
				assertThat(call.call(rows::next)).isTrue();
				call.abandon();
				closing.close(rows, statement, connection);
			}
			await().until(() -> database.running() == 0);
			call.close();
		}
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).cancelled())
			.isEqualTo(Closing.values().length);
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.STATEMENT).aborted()).isZero();
	}

	private static Statement streaming(Connection connection, Database database) throws SQLException {
		Statement statement = connection.createStatement();
		statement.setFetchSize((database == Database.MYSQL) ? Integer.MIN_VALUE : 1);
		return statement;
	}

	private static long naps(Database database) throws SQLException {
		try (Connection connection = database.connect()) {
			return number(connection, "select count(*) from naps");
		}
	}

	private static long number(Connection connection, String sql) throws SQLException {
		try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
			rows.next();
			return rows.getLong(1);
		}
	}

	private enum Closing {

		ROWS {

			@Override
			void close(ResultSet rows, Statement statement, Connection connection) throws SQLException {
				rows.close();
			}

		},

		STATEMENT {

			@Override
			void close(ResultSet rows, Statement statement, Connection connection) throws SQLException {
				statement.close();
			}

		},

		ROLLBACK {

			@Override
			void close(ResultSet rows, Statement statement, Connection connection) throws SQLException {
				connection.rollback();
			}

		},

		CONNECTION {

			@Override
			void close(ResultSet rows, Statement statement, Connection connection) throws SQLException {
				connection.close();
			}

		};

		abstract void close(ResultSet rows, Statement statement, Connection connection) throws SQLException;

	}

}
