package io.github.grpcresilience.frameworks;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Handlers that use connections by hand: what they have set on a session they set back in
 * {@code finally}, and what they hold they let go.
 */
class PlainJdbcTests {

	private static final String TENANT_SQL = "select coalesce(current_setting('app.tenant', true), '')";

	private static final String PID_SQL = "select pg_backend_pid()";

	private static final Map<Pool, Subject> SUBJECTS = new EnumMap<>(Pool.class);

	static Stream<Arguments> poolsAndEnds() {
		return Stream.of(Pool.values())
			.flatMap((pool) -> Stream.of(End.values()).map((end) -> Arguments.of(pool, end)));
	}

	@AfterAll
	static void stop() {
		SUBJECTS.values().forEach((subject) -> subject.app.close());
		SUBJECTS.clear();
	}

	@ParameterizedTest
	@MethodSource("poolsAndEnds")
	void whatIsCleanedUpInFinallyIsClean(Pool pool, End end) {
		Subject subject = subject(pool);
		subject.app.on("work", () -> subject.withStatement((statement) -> {
			statement.execute("set app.tenant = 'a'");
			statement.execute("select pg_advisory_lock(7)");
			try {
				statement.execute(subject.database.busySql());
			}
			finally {
				statement.execute("select pg_advisory_unlock(7)");
				statement.execute("set app.tenant = ''");
			}
			return "done";
		}));
		String before = subject.inCall(PID_SQL);
		end.of(subject.app, "work", subject.database::isBusy);
		assertThat(subject.inCall(TENANT_SQL)).isEmpty();
		assertThat(subject.inCall(PID_SQL)).isEqualTo(before);
		assertThat(subject.database.value("select pg_try_advisory_lock(7)")).isEqualTo("t");
		subject.assertWhole();
	}

	/**
	 * It cleans nothing up, and its next caller must not find what it has left.
	 */
	@ParameterizedTest
	@MethodSource("poolsAndEnds")
	void whatGoesOnIsRefusedAndItsConnectionReplaced(Pool pool, End end) {
		Subject subject = subject(pool);
		subject.app.on("go on", () -> subject.withStatement((statement) -> {
			statement.execute("set app.tenant = 'a'");
			int refusals = 0;
			while (refusals < 3) {
				try {
					statement.execute("select pg_sleep(0.1)");
				}
				catch (SQLException ex) {
					refusals++;
				}
			}
			return "stopped";
		}));
		String before = subject.inCall(PID_SQL);
		end.of(subject.app, "go on", subject.database::isBusy);
		assertThat(subject.inCall(TENANT_SQL)).isEmpty();
		assertThat(subject.inCall(PID_SQL)).isNotEqualTo(before);
		subject.assertWhole();
	}

	/**
	 * The connection is taken from its user only when he gives it back.
	 */
	@ParameterizedTest
	@EnumSource
	void whoeverIsRefusedCanStillCleanUpOnHisConnection(Pool pool) throws Exception {
		Subject subject = subject(pool);
		CompletableFuture<String> outcome = new CompletableFuture<>();
		subject.app.on("clean up", () -> {
			try (Connection connection = subject.pool.getConnection()) {
				connection.setAutoCommit(false);
				try (Statement statement = connection.createStatement()) {
					statement.execute("set app.tenant = 'a'");
					connection.commit();
					App.untilTheEnd();
					while (true) {
						statement.execute("select pg_sleep(0.02)");
					}
				}
				catch (SQLException ex) {
					connection.rollback();
					try (Statement statement = connection.createStatement()) {
						statement.execute("insert into notes values ('given up')");
					}
					connection.commit();
				}
				connection.setAutoCommit(true);
				outcome.complete("cleaned up");
			}
			catch (Exception ex) {
				outcome.completeExceptionally(ex);
			}
			return "done";
		});
		End.DEADLINE.of(subject.app, "clean up", () -> true);
		assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo("cleaned up");
		assertThat(subject.database.value("select note from notes")).isEqualTo("given up");
		assertThat(subject.inCall(TENANT_SQL)).isEmpty();
		subject.assertWhole();
	}

	/**
	 * Tomcat's pool switches auto-commit on for whoever is lent the connection next,
	 * which commits.
	 */
	@ParameterizedTest
	@EnumSource
	void transactionThatIsLeftOpenIsRolledBackAndTheNextOneIsNot(Pool pool) {
		Subject subject = subject(pool);
		subject.app.on("leave open", () -> {
			try (Connection connection = subject.pool.getConnection();
					Statement statement = connection.createStatement()) {
				connection.setAutoCommit(false);
				statement.execute("insert into notes values ('left open')");
				statement.execute(subject.database.busySql());
				return "done";
			}
		});
		subject.app.on("note", () -> subject.withStatement((statement) -> {
			statement.execute("insert into notes values ('noted')");
			return "noted";
		}));
		End.DEADLINE.of(subject.app, "leave open", () -> true);
		assertThat(subject.app.call("note", App.LONG_MILLIS)).isEqualTo("noted");
		assertThat(subject.database.value("select string_agg(note, ', ') from notes")).isEqualTo("noted");
		subject.assertWhole();
	}

	/**
	 * As a retry around {@code @Transactional} does: each attempt is a transaction of its
	 * own.
	 */
	@ParameterizedTest
	@MethodSource("poolsAndEnds")
	void loopThatTriesAgainLeavesNothingBehind(Pool pool, End end) {
		Subject subject = subject(pool);
		JdbcTemplate jdbc = new JdbcTemplate(subject.pool);
		TransactionTemplate transaction = new TransactionTemplate(new JdbcTransactionManager(subject.pool));
		subject.app.on("try again", () -> {
			for (int attempt = 1; attempt <= 5; attempt++) {
				try {
					transaction.executeWithoutResult((status) -> {
						jdbc.update("insert into notes values ('tried')");
						jdbc.execute(subject.database.busySql());
					});
				}
				catch (DataAccessException | TransactionException ex) {
					// It goes on as if nothing were.
				}
			}
			return "given up";
		});
		end.of(subject.app, "try again", subject.database::isBusy);
		assertThat(subject.database.value("select count(*) from notes")).isEqualTo("0");
		subject.assertWhole();
	}

	private static Subject subject(Pool pool) {
		Subject subject = SUBJECTS.computeIfAbsent(pool, Subject::start);
		subject.database.execute("delete from notes");
		return subject;
	}

	/** What stands between the application and its database. */
	enum Pool {

		HIKARI(HikariDataSource.class), TOMCAT(org.apache.tomcat.jdbc.pool.DataSource.class),
		DBCP(BasicDataSource.class);

		private final Class<?> type;

		Pool(Class<?> type) {
			this.type = type;
		}

		private String[] properties() {
			return switch (this) {
				case HIKARI -> new String[] { "spring.datasource.hikari.maximum-pool-size=1",
						"spring.datasource.hikari.connection-test-query=select 1" };
				case TOMCAT -> new String[] { "spring.datasource.tomcat.max-active=1",
						"spring.datasource.tomcat.jdbc-interceptors=ConnectionState",
						"spring.datasource.tomcat.default-auto-commit=true",
						"spring.datasource.tomcat.test-on-borrow=true",
						"spring.datasource.tomcat.validation-query=select 1" };
				case DBCP -> new String[] { "spring.datasource.dbcp2.max-total=1",
						"spring.datasource.dbcp2.validation-query=select 1" };
			};
		}

	}

	/** Works with a statement of the pool. */
	@FunctionalInterface
	private interface Sql {

		String run(Statement statement) throws SQLException;

	}

	/**
	 * An application on one of the pools, which has a single connection: each caller gets
	 * the one of the caller before.
	 */
	private record Subject(App app, Database database, DataSource pool) {

		static Subject start(Pool pool) {
			Database database = Database.create("create table notes (note text)");
			App app = App.of()
				.auto(DataSourceAutoConfiguration.class)
				.with(database.properties())
				.with("spring.datasource.type=" + pool.type.getName())
				.with(pool.properties())
				.start();
			return new Subject(app, database, app.bean(DataSource.class));
		}

		String withStatement(Sql sql) throws SQLException {
			try (Connection connection = this.pool.getConnection();
					Statement statement = connection.createStatement()) {
				return sql.run(statement);
			}
		}

		String inCall(String query) {
			this.app.on(query, () -> withStatement((statement) -> firstOf(statement, query)));
			return this.app.call(query, App.LONG_MILLIS);
		}

		private static String firstOf(Statement statement, String query) throws SQLException {
			try (ResultSet rows = statement.executeQuery(query)) {
				rows.next();
				return rows.getString(1);
			}
		}

		/**
		 * Outside of any call it lends all that it has, and the database knows of no
		 * more.
		 */
		void assertWhole() {
			JdbcTemplate jdbc = new JdbcTemplate(this.pool);
			assertThat(jdbc.execute((ConnectionCallback<Boolean>) Connection::getAutoCommit)).isTrue();
			assertThat(jdbc.queryForObject(TENANT_SQL, String.class)).isEmpty();
			App.soon().untilAsserted(() -> assertThat(this.database.sessions()).isEqualTo(1));
		}

	}

}
