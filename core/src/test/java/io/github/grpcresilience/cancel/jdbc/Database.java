package io.github.grpcresilience.cancel.jdbc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;

import static org.awaitility.Awaitility.await;

/**
 * Real databases, each started once for all tests of this JVM.
 */
public enum Database {

	H2 {

		@Override
		String url() {
			return "jdbc:h2:mem:statements;DB_CLOSE_DELAY=-1";
		}

		@Override
		String busySql() {
			return "select sum(wait_until(?)) from system_range(1, ?)";
		}

		@Override
		String setupSql() {
			return "create table if not exists naps (nap int); create alias if not exists wait_until for \""
					+ Database.class.getName() + ".waitUntil\"";
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			statement.setLong(1, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis));
			statement.setLong(2, millis * 10);
		}

		@Override
		String runningSql() {
			return "select count(*) from information_schema.sessions where executing_statement like '%wait_until%'"
					+ " and session_id <> session_id()";
		}

	},

	POSTGRES {

		@Override
		String url() {
			return Postgres.INSTANCE.getJdbcUrl("postgres", "postgres") + "&ApplicationName=tests";
		}

		@Override
		String busySql() {
			return "select 0 from pg_sleep(?)";
		}

		@Override
		String setupSql() {
			return "create table if not exists naps (nap int)";
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			statement.setDouble(1, millis / 1_000.0);
		}

		@Override
		String runningSql() {
			return "select count(*) from pg_stat_activity where state = 'active' and application_name = 'tests'"
					+ " and query like '%pg_sleep%' and pid <> pg_backend_pid()";
		}

	};

	private static final long SLICE_NANOS = 100_000;

	abstract String url();

	abstract String busySql();

	abstract String setupSql();

	String busyUpdateSql() {
		return "insert into naps " + busySql();
	}

	abstract void bind(PreparedStatement statement, long millis) throws SQLException;

	/** Asks the database itself what it is doing. */
	abstract String runningSql();

	/**
	 * A pool of its own for each test.
	 */
	public HikariDataSource pool(int size) {
		prepare();
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(url());
		config.setMaximumPoolSize(size);
		config.setConnectionTimeout(20_000);
		return new HikariDataSource(config);
	}

	private void prepare() {
		try (Connection connection = DriverManager.getConnection(url());
				Statement statement = connection.createStatement()) {
			statement.execute(setupSql());
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * A statement that keeps the database busy.
	 */
	public void keepBusy(Connection connection, long millis) throws SQLException {
		try (PreparedStatement statement = connection.prepareStatement(busySql())) {
			bind(statement, millis);
			statement.executeQuery().close();
		}
	}

	public void keepBusy(DataSource dataSource, long millis) throws SQLException {
		try (Connection connection = dataSource.getConnection()) {
			keepBusy(connection, millis);
		}
	}

	/**
	 * Busy statements that the database runs now, asked over a connection of its own.
	 */
	public int running() {
		try (Connection connection = DriverManager.getConnection(url());
				Statement statement = connection.createStatement();
				ResultSet rows = statement.executeQuery(runningSql())) {
			rows.next();
			return rows.getInt(1);
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	static void killPostgresBackends() {
		try (Connection connection = DriverManager.getConnection(POSTGRES.url());
				Statement statement = connection.createStatement()) {
			statement.execute("select pg_terminate_backend(pid) from pg_stat_activity"
					+ " where application_name = 'tests' and pid <> pg_backend_pid()");
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
		await().until(() -> POSTGRES.running() == 0);
	}

	/**
	 * Waits for one slice, or for what is left until the end. Called by H2 for each row,
	 * between which it looks for a cancellation. Spinning instead would leave two cores
	 * to nobody else.
	 */
	public static int waitUntil(long end) {
		LockSupport.parkNanos(Math.min(SLICE_NANOS, end - System.nanoTime()));
		return 0;
	}

	private static final class Postgres {

		private static final EmbeddedPostgres INSTANCE = start();

		private static EmbeddedPostgres start() {
			try {
				EmbeddedPostgres postgres = EmbeddedPostgres.builder()
					.setServerConfig("max_connections", "200")
					.start();
				Runtime.getRuntime().addShutdownHook(new Thread(() -> {
					try {
						postgres.close();
					}
					catch (IOException ex) {
						throw new UncheckedIOException(ex);
					}
				}));
				return postgres;
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}

	}

}
