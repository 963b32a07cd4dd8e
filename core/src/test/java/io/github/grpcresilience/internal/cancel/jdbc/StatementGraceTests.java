package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.ResilienceEvent;
import io.github.grpcresilience.event.ResilienceEvent.WorkAfterEnd;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.event.WorkFate;
import io.github.grpcresilience.internal.call.CallScope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * What a handler may still ask of its database when its call has ended.
 */
class StatementGraceTests {

	private static final long LONG_MILLIS = 25_000;

	private final List<ResilienceEvent> events = new CopyOnWriteArrayList<>();

	private final GrpcResilience resilience = GrpcResilience.builder().events(this.events::add).build();

	private final ExecutorService handlers = Executors.newCachedThreadPool();

	private final TestCall call = TestCall.begin();

	private HikariDataSource pool;

	@AfterEach
	void end() throws SQLException {
		this.call.close();
		this.handlers.shutdownNow();
		try (HikariDataSource opened = this.pool; Connection connection = opened.getConnection()) {
			execute(connection, "delete from naps");
		}
		this.resilience.close();
	}

	private DataSource open(Database database) {
		this.pool = database.pool(1);
		return this.resilience.work().dataSource(this.pool);
	}

	private WorkCounts.Sums counts() {
		return this.resilience.inspection().stoppedWork().sums(Work.STATEMENT);
	}

	private void in(TestCall call, Step step) throws Exception {
		call.call(() -> {
			step.run();
			return true;
		});
	}

	private static int number(Connection connection, String sql) throws SQLException {
		try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
			rows.next();
			return rows.getInt(1);
		}
	}

	private static void execute(Connection connection, String sql) throws SQLException {
		try (Statement statement = connection.createStatement()) {
			statement.execute(sql);
		}
	}

	/** The session as the next caller finds it. */
	private String session(DataSource dataSource) throws SQLException {
		try (Connection connection = dataSource.getConnection();
				Statement statement = connection.createStatement();
				ResultSet rows = statement.executeQuery("select pg_backend_pid()")) {
			rows.next();
			return rows.getString(1);
		}
	}

	@OnEmbeddedDatabases
	void whatCleansUpGetsThroughAndWhatGoesOnDoesNot(Database database) throws Exception {
		DataSource dataSource = open(database);
		this.call.stopClock();
		try (Connection connection = dataSource.getConnection()) {
			this.call.abandon();
			in(this.call, () -> {
				for (int stage = 0; stage < 2; stage++) {
					for (int i = 0; i < 64; i++) {
						assertThat(database.echo(connection, 7)).isEqualTo(7);
					}
					assertRefused(() -> database.echo(connection, 7));
				}
				for (int i = 0; i < 5; i++) {
					assertRefused(() -> database.echo(connection, 7));
				}
			});
			// Whoever belongs to no call goes on.
			assertThat(database.echo(connection, 7)).isEqualTo(7);
		}
		assertThat(counts()).isEqualTo(new WorkCounts.Sums(7, 0, 0));
		assertThat(this.events).containsExactly(new WorkAfterEnd(io.github.grpcresilience.internal.policy.Side.SERVER,
				"a request that is no gRPC call", null, Work.STATEMENT, WorkFate.REFUSED));
	}

	@Test
	void connectionOfOneWhoWentOnIsReplacedWhenItComesBack() throws Exception {
		DataSource dataSource = open(Database.POSTGRES);
		String before = session(dataSource);
		try (Connection connection = dataSource.getConnection()) {
			connection.setAutoCommit(false);
			execute(connection, "set app.tenant = 'a'");
			this.call.abandon();
			this.call.useUpGrace(Work.STATEMENT);
			in(this.call, () -> assertRefused(() -> execute(connection, "set app.tenant = ''")));
			// Evicted at once, it would be closed under whoever rolls back.
			connection.rollback();
		}
		await().untilAsserted(() -> assertThat(session(dataSource)).isNotEqualTo(before));
		assertThat(this.pool.getHikariPoolMXBean().getActiveConnections()).isZero();
		assertThat(counts().aborted()).isZero();
	}

	/** As of a call that has waited for its connection until its end. */
	@Test
	void connectionOnWhichTheCallDidNothingElseIsKept() throws Exception {
		DataSource dataSource = open(Database.POSTGRES);
		String before = session(dataSource);
		this.call.abandon();
		try (Connection connection = dataSource.getConnection()) {
			in(this.call, () -> assertThat(catchThrowable(() -> Database.POSTGRES.keepBusy(connection, LONG_MILLIS)))
				.isInstanceOf(SQLException.class));
		}
		assertThat(session(dataSource)).isEqualTo(before);
		assertThat(counts().cancelled()).isOne();
	}

	@Test
	void connectionThatWasCleanedUpIsKept() throws Exception {
		DataSource dataSource = open(Database.POSTGRES);
		String before = session(dataSource);
		Future<Throwable> handler = this.handlers.submit(() -> this.call.call(() -> catchThrowable(() -> {
			try (Connection connection = dataSource.getConnection()) {
				try {
					execute(connection, "select pg_advisory_lock(7)");
					Database.POSTGRES.keepBusy(connection, LONG_MILLIS);
				}
				finally {
					execute(connection, "select pg_advisory_unlock(7)");
				}
			}
		})));
		await().pollInterval(Duration.ofMillis(5)).until(() -> Database.POSTGRES.running() == 1);
		this.call.timeOut();
		assertThat(Status.fromThrowable(handler.get()).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(session(dataSource)).isEqualTo(before);
		try (Connection other = Database.POSTGRES.pool(1).getConnection()) {
			assertThat(number(other, "select case when pg_try_advisory_lock(7) then 1 else 0 end")).isEqualTo(1);
		}
	}

	@ParameterizedTest
	@EnumSource(names = { "H2", "POSTGRES" })
	void whatBeganJustBeforeTheEndHasAWhileAndIsStoppedThen(Database database) throws Exception {
		DataSource dataSource = open(database);
		try (Connection monitor = database.connect()) {
			Future<Throwable> quick = this.handlers
				.submit(() -> this.call.call(() -> catchThrowable(() -> database.keepBusy(dataSource, 180))));
			await().pollInterval(Duration.ofMillis(2)).until(() -> database.running(monitor) == 1);
			this.call.abandonYoung();
			assertThat(quick.get()).isNull();
		}
		TestCall another = TestCall.begin();
		Future<Throwable> slow = this.handlers
			.submit(() -> another.call(() -> catchThrowable(() -> database.keepBusy(dataSource, LONG_MILLIS))));
		await().pollInterval(Duration.ofMillis(2)).until(() -> database.running() == 1);
		another.abandonYoung();
		assertThat(slow.get()).isInstanceOf(SQLTimeoutException.class);
		assertThat(counts()).isEqualTo(new WorkCounts.Sums(0, 1, 0));
		await().until(() -> this.pool.getHikariPoolMXBean().getActiveConnections() == 0);
	}

	@OnMariaDb
	void transactionWithAStoppedStatementIsNotCommittedWhateverBecameOfTheExceptionOnMariaDb(Database database)
			throws Exception {
		transactionWithAStoppedStatementIsNotCommittedWhateverBecameOfTheException(database);
	}

	@OnEmbeddedDatabases
	void transactionWithAStoppedStatementIsNotCommittedWhateverBecameOfTheException(Database database)
			throws Exception {
		DataSource dataSource = open(database);
		TestCall refused = TestCall.begin();
		refused.abandon();
		refused.useUpGrace(Work.STATEMENT);
		try (Connection connection = dataSource.getConnection()) {
			for (Commit commit : List.<Commit>of(Connection::commit, (one) -> one.setAutoCommit(true),
					(one) -> execute(one, "COMMIT"))) {
				connection.setAutoCommit(false);
				execute(connection, "insert into naps values (1)");
				in(refused, () -> assertRefused(() -> execute(connection, "insert into naps values (2)")));
				assertThatExceptionOfType(SQLTimeoutException.class).isThrownBy(() -> commit.commit(connection))
					.withMessageContaining("not committed but rolled back");
				assertThat(number(connection, "select count(*) from naps")).isZero();
			}
			// From then on it is a transaction like any other.
			execute(connection, "insert into naps values (3)");
			connection.commit();
			connection.setAutoCommit(true);
			assertThat(number(connection, "select count(*) from naps")).isEqualTo(1);
		}
	}

	@OnMariaDb
	void transactionWithACancelledStatementIsNotCommittedOnMariaDb(Database database) throws Exception {
		transactionWithACancelledStatementIsNotCommitted(database);
	}

	@OnEmbeddedDatabases
	void transactionWithACancelledStatementIsNotCommitted(Database database) throws Exception {
		DataSource dataSource = open(database);
		try (Connection connection = dataSource.getConnection()) {
			connection.setAutoCommit(false);
			execute(connection, "insert into naps values (1)");
			Future<Throwable> handler = this.handlers
				.submit(() -> this.call.call(() -> catchThrowable(() -> database.keepBusy(connection, LONG_MILLIS))));
			await().pollInterval(Duration.ofMillis(5)).until(() -> database.running() == 1);
			this.call.abandon();
			assertThat(handler.get()).isInstanceOf(SQLTimeoutException.class);
			in(this.call, () -> assertThatExceptionOfType(SQLTimeoutException.class).isThrownBy(connection::commit));
			assertThat(number(connection, "select count(*) from naps")).isZero();
		}
	}

	/** As Spring does for a nested transaction that failed. */
	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "DUCKDB", "MARIADB", "MYSQL" })
	void rollbackToAnOlderSavepointTakesBackWhatWasStopped(Database database) throws Exception {
		DataSource dataSource = open(database);
		this.call.abandon();
		this.call.useUpGrace(Work.STATEMENT);
		try (Connection connection = dataSource.getConnection()) {
			connection.setAutoCommit(false);
			execute(connection, "insert into naps values (1)");
			in(this.call, () -> assertRefused(() -> execute(connection, "insert into naps values (2)")));
			Savepoint later = connection.setSavepoint();
			connection.rollback(later);
			assertThatExceptionOfType(SQLTimeoutException.class).isThrownBy(connection::commit);
			execute(connection, "insert into naps values (3)");
			Savepoint older = connection.setSavepoint("older");
			in(this.call, () -> assertRefused(() -> execute(connection, "insert into naps values (4)")));
			connection.rollback(older);
			connection.commit();
			assertThat(number(connection, "select count(*) from naps")).isEqualTo(1);
			connection.rollback();
		}
	}

	@OnEmbeddedDatabases
	void lateCommitIsAllowedAndCountedAndGivesWhatFollowsAGrace(Database database) throws Exception {
		DataSource dataSource = open(database);
		try (Connection connection = dataSource.getConnection()) {
			connection.setAutoCommit(false);
			in(this.call, () -> {
				execute(connection, "insert into naps values (1)");
				this.call.abandon();
				for (int i = 0; i < 64; i++) {
					assertThat(database.echo(connection, 7)).isEqualTo(7);
				}
				connection.commit();
				assertThat(database.echo(connection, 7)).isEqualTo(7);
			});
			connection.rollback();
			assertThat(number(connection, "select count(*) from naps")).isEqualTo(1);
			connection.rollback();
		}
		assertThat(this.resilience.inspection().stoppedWork().commits()).isEqualTo(new WorkCounts.Commits(1, 0));
		assertThat(this.events).extracting((event) -> ((WorkAfterEnd) event).fate())
			.containsExactly(WorkFate.COMMITTED);
	}

	@OnEmbeddedDatabases
	void lateCommitIsRolledBackWhereThePolicySaysSo(Database database) throws Exception {
		DataSource dataSource = open(database);
		TestCall refusing = TestCall.refusingLateCommits();
		try (Connection connection = dataSource.getConnection()) {
			connection.setAutoCommit(false);
			in(refusing, () -> {
				execute(connection, "insert into naps values (1)");
				connection.commit();
				execute(connection, "insert into naps values (2)");
				refusing.timeOut();
				assertThatExceptionOfType(SQLTimeoutException.class).isThrownBy(connection::commit)
					.withMessageContaining("commit-after-end is refuse");
			});
			assertThat(number(connection, "select count(*) from naps")).isEqualTo(1);
			connection.rollback();
		}
		assertThat(this.resilience.inspection().stoppedWork().commits()).isEqualTo(new WorkCounts.Commits(0, 1));
	}

	@Test
	void commitOfAnotherTransactionIsNotLate() throws Exception {
		DataSource dataSource = open(Database.H2);
		this.call.abandon();
		try (Connection connection = dataSource.getConnection()) {
			connection.setAutoCommit(false);
			in(this.call, () -> Database.H2.echo(connection, 7));
			connection.rollback();
			in(this.call, connection::commit);
			connection.setAutoCommit(true);
		}
		assertThat(this.resilience.inspection().stoppedWork().commits()).isEqualTo(new WorkCounts.Commits(0, 0));
	}

	/** Somebody else may wait for it. */
	@Test
	void statementOnAThreadThatReactorCarriedTheCallToIsStoppedWhenTheThreadIsInterrupted() throws Exception {
		Database database = Database.POSTGRES;
		DataSource dataSource = open(database);
		CallScope carried = this.call.scope().carriedAway();
		Future<Throwable> work = this.handlers
			.submit(() -> carried.call(() -> catchThrowable(() -> database.keepBusy(dataSource, LONG_MILLIS))));
		await().pollInterval(Duration.ofMillis(5)).until(() -> database.running() == 1);
		Thread thread = threadThatExecutes();
		this.call.abandon();
		assertThat(catchThrowable(() -> work.get(400, TimeUnit.MILLISECONDS))).isInstanceOf(TimeoutException.class);
		assertThat(database.running()).isEqualTo(1);
		thread.interrupt();
		assertThat(work.get()).isInstanceOf(SQLTimeoutException.class);
		assertThat(counts().cancelled()).isEqualTo(1);
	}

	private static Thread threadThatExecutes() {
		return Thread.getAllStackTraces()
			.entrySet()
			.stream()
			.filter((entry) -> List.of(entry.getValue())
				.stream()
				.anyMatch((frame) -> frame.getClassName().equals(Execution.class.getName())))
			.map((entry) -> entry.getKey())
			.findFirst()
			.orElseThrow();
	}

	@Test
	void statementThatIsBegunWhereReactorCarriedTheCallToIsNeverRefused() throws Exception {
		DataSource dataSource = open(Database.H2);
		this.call.abandon();
		try (Connection connection = dataSource.getConnection()) {
			CallScope outer = this.call.scope().carriedAway().enter();
			try {
				for (int i = 0; i < 300; i++) {
					assertThat(Database.H2.echo(connection, 7)).isEqualTo(7);
				}
			}
			finally {
				CallScope.leave(outer);
			}
		}
	}

	/** Its rows are of a statement that is older than the end. */
	@Test
	void rowsOfAnOldStatementAreNotFetchedAfterTheEnd() throws Exception {
		DataSource dataSource = open(Database.POSTGRES);
		try (Connection connection = dataSource.getConnection();
				PreparedStatement statement = connection.prepareStatement("select i from generate_series(1, 500) i")) {
			connection.setAutoCommit(false);
			statement.setFetchSize(2);
			in(this.call, () -> {
				ResultSet rows = statement.executeQuery();
				assertThat(rows.next()).isTrue();
				this.call.abandon();
				assertThatExceptionOfType(SQLTimeoutException.class).isThrownBy(rows::next);
			});
			connection.rollback();
			TestCall young = TestCall.begin();
			in(young, () -> {
				ResultSet rows = statement.executeQuery();
				assertThat(rows.next()).isTrue();
				young.abandonYoung();
				int more = 0;
				while (rows.next()) {
					more++;
				}
				assertThat(more).isEqualTo(499);
			});
			connection.rollback();
		}
	}

	private static void assertRefused(Step step) {
		assertThatExceptionOfType(SQLException.class).isThrownBy(step::run)
			.withMessageContaining("not started")
			.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED));
	}

	@FunctionalInterface
	private interface Step {

		void run() throws SQLException;

	}

	@FunctionalInterface
	private interface Commit {

		void commit(Connection connection) throws SQLException;

	}

}
