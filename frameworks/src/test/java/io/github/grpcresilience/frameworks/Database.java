package io.github.grpcresilience.frameworks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.datasource.init.ScriptUtils;

/**
 * A database of an application, real and of its own: of one PostgreSQL for all tests of
 * this JVM, or an H2 in memory. What it is asked here comes from outside of the
 * application.
 */
final class Database {

	private static final AtomicInteger NUMBERS = new AtomicInteger();

	private final Engine engine;

	private final String name;

	private Database(Engine engine, String name) {
		this.engine = engine;
		this.name = name;
	}

	/**
	 * A new one of PostgreSQL, empty but for what these statements do.
	 */
	static Database create(String... sql) {
		return create(Engine.POSTGRES, sql);
	}

	static Database create(Engine engine, String... sql) {
		Database created = new Database(engine, "db" + NUMBERS.incrementAndGet());
		engine.create(created.name);
		created.execute(sql);
		return created;
	}

	/**
	 * Port of the PostgreSQL.
	 */
	static int port() {
		return Postgres.INSTANCE.getPort();
	}

	String name() {
		return this.name;
	}

	/**
	 * Where the application connects to.
	 */
	String url() {
		return this.engine.url(this.name) + this.engine.parameters;
	}

	/**
	 * Properties of an application that uses it.
	 */
	String[] properties() {
		return new String[] { "spring.datasource.url=" + url(), "spring.datasource.username=" + this.engine.user };
	}

	/**
	 * What keeps it busy for longer than any call.
	 */
	String busySql() {
		return this.engine.busySql;
	}

	private Connection connect() throws SQLException {
		return DriverManager.getConnection(this.engine.url(this.name), this.engine.user, "");
	}

	void execute(String... sql) {
		try (Connection connection = connect(); Statement statement = connection.createStatement()) {
			for (String each : sql) {
				statement.execute(each);
			}
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * Runs a script of the class path.
	 */
	void executeScript(String path) {
		try (Connection connection = connect()) {
			ScriptUtils.executeSqlScript(connection, new ClassPathResource(path));
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * The first value that a query has.
	 */
	String value(String sql) {
		try (Connection connection = connect();
				Statement statement = connection.createStatement();
				ResultSet rows = statement.executeQuery(sql)) {
			return rows.next() ? rows.getString(1) : "nothing";
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * Whether the application keeps it busy, and not just since now.
	 */
	boolean isBusy() {
		return !value(this.engine.runningSql).equals("0");
	}

	/**
	 * Sessions of the application.
	 */
	int sessions() {
		return Integer.parseInt(value(this.engine.sessionsSql));
	}

	/** Kinds of databases, and of how they are spoken to. */
	enum Engine {

		POSTGRES("&ApplicationName=app"),

		/** The driver takes back a statement that failed, and the transaction goes on. */
		POSTGRES_AUTOSAVE("&ApplicationName=app&autosave=always"),

		H2("sa", "", "select max(a.x + b.x) from system_range(1, 100000) a, system_range(1, 100000) b",
				"select count(*) from information_schema.sessions where executing_statement is not null"
						+ " and session_id <> session_id()"
						+ " and datediff(millisecond, executing_statement_start, current_timestamp) > 70",
				"select count(*) - 1 from information_schema.sessions") {

			@Override
			void create(String name) {
				// It comes into being with its first connection.
			}

			@Override
			String url(String name) {
				return "jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1";
			}

		};

		private final String user;

		private final String parameters;

		private final String busySql;

		private final String runningSql;

		private final String sessionsSql;

		Engine(String parameters) {
			this("postgres", parameters, "select pg_sleep(20)",
					"select count(*) from pg_stat_activity where application_name = 'app' and state = 'active'"
							+ " and datname = current_database() and now() - query_start > interval '70 ms'",
					"select count(*) from pg_stat_activity where application_name = 'app'"
							+ " and datname = current_database()");
		}

		Engine(String user, String parameters, String busySql, String runningSql, String sessionsSql) {
			this.user = user;
			this.parameters = parameters;
			this.busySql = busySql;
			this.runningSql = runningSql;
			this.sessionsSql = sessionsSql;
		}

		void create(String name) {
			new Database(POSTGRES, "postgres").execute("create database " + name);
		}

		String url(String name) {
			return Postgres.INSTANCE.getJdbcUrl("postgres", name);
		}

	}

	private static final class Postgres {

		private static final EmbeddedPostgres INSTANCE = start();

		private static EmbeddedPostgres start() {
			try {
				EmbeddedPostgres postgres = EmbeddedPostgres.builder()
					.setServerConfig("max_connections", "200")
					.setServerConfig("fsync", "off")
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
