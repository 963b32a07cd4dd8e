package io.github.grpcresilience.internal.cancel.jdbc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import org.h2.api.ErrorCode;

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
		List<String> setupSql() {
			return List.of("create table if not exists naps (nap int)",
					"create alias if not exists wait_until for \"" + WAIT_UNTIL + "\"");
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			bindSlices(statement, millis);
		}

		@Override
		String runningSql() {
			return "select count(*) from information_schema.sessions where executing_statement like '%wait_until%'"
					+ " and session_id <> session_id()";
		}

		/**
		 * The list cannot be read while one of its transactions ends.
		 */
		@Override
		int running(Connection connection) throws SQLException {
			try {
				return super.running(connection);
			}
			catch (SQLException ex) {
				if (ex.getErrorCode() == ErrorCode.GENERAL_ERROR_1) {
					return super.running(connection);
				}
				throw ex;
			}
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
		List<String> setupSql() {
			return List.of("create table if not exists naps (nap int)");
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

	},

	/** Looks for a cancel when it comes to the next row of a table. */
	HSQLDB {

		@Override
		String url() {
			// Read when the first database is opened.
			System.setProperty("hsqldb.method_class_names", WAIT_UNTIL);
			return "jdbc:hsqldb:mem:statements";
		}

		@Override
		String echoSql() {
			return "values cast(? as bigint)";
		}

		@Override
		String busySql() {
			return "select sum(wait_until(?)) from slices where slice <= ?";
		}

		@Override
		List<String> setupSql() {
			return List.of("create table if not exists naps (nap int)",
					"create function wait_until(moment bigint) returns int language java no sql"
							+ " external name 'CLASSPATH:" + WAIT_UNTIL + "'",
					"create table slices (slice int primary key)",
					"insert into slices select * from unnest(sequence_array(1, 260000, 1))");
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			bindSlices(statement, millis);
		}

		@Override
		String runningSql() {
			return "select count(*) from information_schema.system_sessions"
					+ " where current_statement like '%wait_until%' and session_id <> session_id()";
		}

	},

	DERBY {

		@Override
		String url() {
			return "jdbc:derby:memory:statements;create=true";
		}

		@Override
		String echoSql() {
			return "values cast(? as bigint)";
		}

		@Override
		String busySql() {
			return "select sum(wait_until(cast(? as bigint))) from (select 1 from digits a, digits b, digits c,"
					+ " digits d, digits e, digits f offset 0 rows fetch first ? rows only) slices";
		}

		@Override
		List<String> setupSql() {
			return List.of("create table naps (nap int)",
					"create function wait_until(moment bigint) returns int language java parameter style java no sql"
							+ " external name '" + WAIT_UNTIL + "'",
					"create table digits (digit int)", "insert into digits values 0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			bindSlices(statement, millis);
		}

		@Override
		String runningSql() {
			return "select count(*) from syscs_diag.transaction_table where sql_text like '%wait_until%'"
					+ " and sql_text not like '%syscs_diag%'";
		}

	},

	SQLITE {

		@Override
		String url() {
			return "jdbc:sqlite:" + Files.FOLDER.resolve("statements.sqlite") + "?journal_mode=WAL";
		}

		@Override
		String echoSql() {
			return "select cast(? as integer)";
		}

		@Override
		String busySql() {
			return "with recursive numbers(number) as (select 1 union all select number + 1 from numbers"
					+ " where number < ?) select count(*) from numbers";
		}

		@Override
		List<String> setupSql() {
			return List.of("create table if not exists naps (nap int)");
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			statement.setLong(1, millis * 10_000);
		}

		@Override
		int running(Connection connection) {
			return threadsIn("org.sqlite.core.NativeDB", "step");
		}

	},

	DUCKDB {

		@Override
		String url() {
			return "jdbc:duckdb:" + Files.FOLDER.resolve("statements.duckdb");
		}

		@Override
		String busySql() {
			return "select sum(hash(range) % 2) from range(cast(? as bigint))";
		}

		@Override
		List<String> setupSql() {
			return List.of("create table if not exists naps (nap int)");
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			statement.setLong(1, millis * 100_000);
		}

		@Override
		int running(Connection connection) {
			return threadsIn("org.duckdb.DuckDBNative", "duckdb_jdbc_execute");
		}

	},

	/**
	 * Not busy with {@code sleep}: a kill that comes just when one ends holds up all that
	 * there are for two seconds.
	 */
	MARIADB {

		@Override
		String url() {
			return "jdbc:mariadb://" + MariaDbServer.get().address() + "?user=root";
		}

		@Override
		String echoSql() {
			return "select cast(? as signed)";
		}

		@Override
		String busySql() {
			return "select sum(seq % 2) from seq_1_to_100000000000 where seq <= ?";
		}

		/** Whose driver sends a batch at once, of which the server takes only values. */
		@Override
		String busyUpdateSql() {
			return "insert into naps values ((" + busySql() + "))";
		}

		@Override
		List<String> setupSql() {
			return List.of("create table if not exists naps (nap int)");
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			statement.setLong(1, millis * 20_000);
		}

		@Override
		String runningSql() {
			return "select count(*) from information_schema.processlist where command <> 'Sleep'"
					+ " and info like '%seq_1_to_%' and id <> connection_id()";
		}

	},

	MYSQL {

		@Override
		String url() {
			return "jdbc:mysql://" + MariaDbServer.get().address() + "?user=root";
		}

		@Override
		String echoSql() {
			return MARIADB.echoSql();
		}

		@Override
		String busySql() {
			return MARIADB.busySql();
		}

		@Override
		String busyUpdateSql() {
			return MARIADB.busyUpdateSql();
		}

		@Override
		List<String> setupSql() {
			return MARIADB.setupSql();
		}

		@Override
		void bind(PreparedStatement statement, long millis) throws SQLException {
			MARIADB.bind(statement, millis);
		}

		@Override
		String runningSql() {
			return MARIADB.runningSql();
		}

	};

	private static final String WAIT_UNTIL = "io.github.grpcresilience.internal.cancel.jdbc.Database.waitUntil";

	private static final long SLICE_NANOS = 100_000;

	/** Guarded by itself. */
	private static final Set<Database> PREPARED = new HashSet<>();

	abstract String url();

	int port() {
		return URI.create(url().substring("jdbc:".length())).getPort();
	}

	/** By way of something in front of it. */
	String url(int port) {
		return url().replace(":" + port() + "/", ":" + port + "/");
	}

	/** Gives a number back. */
	String echoSql() {
		return "select cast(? as bigint)";
	}

	abstract String busySql();

	abstract List<String> setupSql();

	String busyUpdateSql() {
		return "insert into naps " + busySql();
	}

	abstract void bind(PreparedStatement statement, long millis) throws SQLException;

	/** Whether nothing but a rollback is let through after a statement has failed. */
	boolean endsTransactionWithStatement() {
		return this == POSTGRES || this == DUCKDB;
	}

	/** Asks the database itself what it is doing. */
	String runningSql() {
		throw new UnsupportedOperationException(name());
	}

	private static void bindSlices(PreparedStatement statement, long millis) throws SQLException {
		statement.setLong(1, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis));
		statement.setInt(2, (int) millis * 10);
	}

	/**
	 * A pool of its own for each test.
	 */
	public HikariDataSource pool(int size) {
		return pool(size, url());
	}

	HikariDataSource pool(int size, String url) {
		prepare();
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(url);
		config.setMaximumPoolSize(size);
		config.setConnectionTimeout(20_000);
		return new HikariDataSource(config);
	}

	/**
	 * A connection outside of all pools.
	 */
	Connection connect() {
		try {
			return DriverManager.getConnection(url());
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private void prepare() {
		synchronized (PREPARED) {
			if (PREPARED.add(this)) {
				setUp();
			}
		}
	}

	private void setUp() {
		try (Connection connection = connect(); Statement statement = connection.createStatement()) {
			for (String sql : setupSql()) {
				statement.execute(sql);
			}
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * A statement that gives a number back.
	 */
	long echo(Connection connection, long number) throws SQLException {
		try (PreparedStatement statement = connection.prepareStatement(echoSql())) {
			statement.setLong(1, number);
			try (ResultSet rows = statement.executeQuery()) {
				rows.next();
				return rows.getLong(1);
			}
		}
	}

	/**
	 * A statement that keeps the database busy.
	 */
	public void keepBusy(Connection connection, long millis) throws SQLException {
		try (PreparedStatement statement = connection.prepareStatement(busySql())) {
			bind(statement, millis);
			try (ResultSet rows = statement.executeQuery()) {
				// Some databases begin to work when they are asked for the first row.
				rows.next();
			}
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
		try (Connection connection = connect()) {
			return running(connection);
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	int running(Connection connection) throws SQLException {
		try (Statement statement = connection.createStatement();
				ResultSet rows = statement.executeQuery(runningSql())) {
			rows.next();
			return rows.getInt(1);
		}
	}

	/**
	 * A database that runs on the threads which ask it, and cannot say what it does.
	 */
	private static int threadsIn(String type, String method) {
		return (int) Thread.getAllStackTraces()
			.values()
			.stream()
			.filter((stack) -> stack.length > 0 && stack[0].getClassName().equals(type)
					&& stack[0].getMethodName().startsWith(method))
			.count();
	}

	static void killPostgresBackends() {
		try (Connection connection = POSTGRES.connect(); Statement statement = connection.createStatement()) {
			statement.execute("select pg_terminate_backend(pid) from pg_stat_activity"
					+ " where application_name = 'tests' and pid <> pg_backend_pid()");
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
		await().until(() -> POSTGRES.running() == 0);
	}

	/**
	 * Waits for one slice, or for what is left until the end. Called by databases for
	 * each row, between which they look for a cancellation. Spinning instead would leave
	 * two cores to nobody else.
	 */
	public static int waitUntil(long end) {
		LockSupport.parkNanos(Math.min(SLICE_NANOS, end - System.nanoTime()));
		return 0;
	}

	private static final class Files {

		private static final Path FOLDER = TemporaryFolders.create("databases");

		static {
			Runtime.getRuntime().addShutdownHook(new Thread(() -> TemporaryFolders.delete(FOLDER)));
		}

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
