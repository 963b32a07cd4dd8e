package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import org.apache.derby.impl.jdbc.EmbedConnection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What each driver needs so that nothing but the statement is hit by its cancel.
 */
class DriverTests {

	private static final long LONG_MILLIS = 25_000;

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final TestCall call = TestCall.begin();

	private final CallWork work = new CallWork(this.call);

	private HikariDataSource pool;

	@AfterEach
	void end() {
		this.call.close();
		if (this.pool != null) {
			this.pool.close();
		}
		this.resilience.close();
	}

	private DataSource open(Database database) {
		this.pool = database.pool(1);
		return this.resilience.work().dataSource(this.pool);
	}

	@OnMariaDb
	void driverIsKnownByItsNameOnMariaDb(Database database) throws SQLException {
		driverIsKnownByItsName(database);
	}

	@OnEmbeddedDatabases
	void driverIsKnownByItsName(Database database) throws SQLException {
		try (Connection connection = open(database).getConnection()) {
			String name = (database == Database.POSTGRES) ? "POSTGRESQL" : database.name();
			assertThat(Driver.of(connection)).isEqualTo(Driver.valueOf(name));
		}
	}

	@OnMariaDb
	void cancelThatComesTooLateIsTakenBackOnMariaDb(Database database) throws SQLException {
		cancelThatComesTooLateIsTakenBack(database);
	}

	@OnEmbeddedDatabases
	void cancelThatComesTooLateIsTakenBack(Database database) throws SQLException {
		for (boolean autoCommit : List.of(true, false)) {
			try (Connection connection = open(database).getConnection();
					Statement insert = connection.createStatement();
					PreparedStatement statement = connection.prepareStatement(database.echoSql())) {
				connection.setAutoCommit(autoCommit);
				insert.executeUpdate("insert into naps values (7)");
				Driver driver = Driver.of(connection);
				assertThat(echo(statement, 8)).isEqualTo(8);
				driver.cancel(connection, statement, true);
				driver.settle(connection, Set.of(insert, statement));
				if (!autoCommit && database == Database.DUCKDB) {
					connection.rollback(); // nothing else is let through
				}
				database.keepBusy(connection, 1);
				assertThat(echo(statement, 9)).isEqualTo(9);
				driver.cancel(connection, statement, true);
				driver.settle(connection, Set.of(insert, statement));
				if (!autoCommit) {
					connection.rollback();
				}
				insert.executeUpdate("delete from naps");
			}
			this.pool.close();
		}
	}

	/** Which cannot be made to come too late by asking for it. */
	@Test
	void markOfDerbyThatComesTooLateIsTakenBack() throws SQLException {
		try (Connection connection = open(Database.DERBY).getConnection();
				PreparedStatement statement = connection.prepareStatement(Database.DERBY.echoSql())) {
			assertThat(echo(statement, 8)).isEqualTo(8);
			connection.unwrap(EmbedConnection.class).getLanguageConnection().getStatementContext().cancel();
			Driver.DERBY.settle(connection, Set.of());
			Database.DERBY.keepBusy(connection, 1);
		}
	}

	/** SQLite itself ends the transaction, and then there is none to roll back. */
	@OnEmbeddedDatabases
	void transactionOfStoppedUpdateCanBeRolledBack(Database database) throws SQLException {
		DataSource dataSource = open(database);
		SQLException thrown = this.work.stopWhileRunning(database, () -> {
			try (Connection connection = dataSource.getConnection();
					Statement insert = connection.createStatement();
					PreparedStatement busy = connection.prepareStatement(database.busyUpdateSql())) {
				connection.setAutoCommit(false);
				insert.executeUpdate("insert into naps values (7)");
				database.bind(busy, LONG_MILLIS);
				try {
					busy.executeUpdate();
				}
				finally {
					connection.rollback();
				}
			}
		});
		assertStopped(thrown);
		assertThat(count(dataSource)).isZero();
		assertThat(this.pool.getHikariPoolMXBean().getTotalConnections()).isEqualTo(1);
	}

	/** As much as the interrupted statement itself. */
	@Test
	void whatElseIsOpenKeepsSqliteFromNothing() throws SQLException {
		DataSource dataSource = open(Database.SQLITE);
		SQLException thrown = this.work.stopWhileRunning(Database.SQLITE, () -> {
			try (Connection connection = dataSource.getConnection();
					Statement insert = connection.createStatement();
					Statement other = connection.createStatement();
					PreparedStatement busy = connection.prepareStatement(Database.SQLITE.busySql())) {
				connection.setAutoCommit(false);
				insert.executeUpdate("insert into naps values (7), (8)");
				try (ResultSet rows = other.executeQuery("select nap from naps")) {
					assertThat(rows.next()).isTrue();
					Database.SQLITE.bind(busy, LONG_MILLIS);
					busy.executeQuery();
				}
				finally {
					assertThat(Database.SQLITE.echo(connection, 9)).isEqualTo(9);
					connection.rollback();
				}
			}
		});
		assertStopped(thrown);
		assertThat(count(dataSource)).isZero();
		assertThat(this.pool.getHikariPoolMXBean().getTotalConnections()).isEqualTo(1);
	}

	/** DuckDB's driver believes to be in it, and commits what follows at once. */
	@Test
	void whatFollowsATransactionWhoseBeginningWasCancelledIsRolledBack() throws SQLException {
		DataSource dataSource = open(Database.DUCKDB);
		try (Connection connection = dataSource.getConnection(); Statement statement = connection.createStatement()) {
			connection.setAutoCommit(false);
			statement.executeUpdate("insert into naps values (7)");
			statement.execute("rollback"); // as if it had never begun
			Driver.DUCKDB.settle(connection, Set.of());
			statement.executeUpdate("insert into naps values (8)");
			connection.rollback();
		}
		assertThat(count(dataSource)).isZero();
	}

	/**
	 * It closes a statement that fails, and HikariCP the connection on which it is asked.
	 */
	@Test
	void statementThatFailsInACallWithADeadlineLeavesTheConnectionAlone() throws Exception {
		this.pool = Database.DUCKDB.pool(1);
		CallConnections limiting = new CallConnections(this.resilience.work()::canceller, true, Set::of);
		this.call.within(1_700, TimeUnit.MILLISECONDS);
		try (Connection connection = limiting.beneath(this.pool.getConnection(), ConnectionLender.UNKNOWN);
				Statement setup = connection.createStatement()) {
			setup.execute("create temporary table keys (key int primary key)");
			connection.setAutoCommit(false);
			this.work.run(() -> {
				try (PreparedStatement insert = connection.prepareStatement("insert into keys values (7), (7)")) {
					assertThatExceptionOfType(SQLException.class).isThrownBy(insert::executeUpdate)
						.withMessageContaining("Constraint Error");
				}
				connection.rollback();
				assertThat(Database.DUCKDB.echo(connection, 9)).isEqualTo(9);
			});
		}
		assertThat(this.pool.getHikariPoolMXBean().getTotalConnections()).isEqualTo(1);
	}

	/** And that neither rolling back nor closing failed. */
	private static void assertStopped(SQLException thrown) {
		assertThat((Throwable) thrown).isInstanceOf(SQLTimeoutException.class).hasNoSuppressedExceptions();
	}

	private static long count(DataSource dataSource) throws SQLException {
		try (Connection connection = dataSource.getConnection();
				Statement statement = connection.createStatement();
				ResultSet rows = statement.executeQuery("select count(*) from naps")) {
			rows.next();
			return rows.getLong(1);
		}
	}

	private static long echo(PreparedStatement statement, long value) throws SQLException {
		statement.setLong(1, value);
		try (ResultSet rows = statement.executeQuery()) {
			rows.next();
			return rows.getLong(1);
		}
	}

}
