package io.github.grpcresilience.frameworks;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.Status;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.StatementCallback;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.transaction.support.TransactionTemplate;
import org.springframework.util.StringUtils;

import io.github.grpcresilience.frameworks.Database.Engine;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What becomes of a transaction whose call ends in the middle of it, whatever the
 * application does about that.
 */
@ExtendWith(OutputCaptureExtension.class)
class TransactionTests {

	private static final Map<Engine, Subject> SUBJECTS = new EnumMap<>(Engine.class);

	@AfterAll
	static void stop() {
		SUBJECTS.values().forEach((subject) -> subject.app.close());
		SUBJECTS.clear();
	}

	@ParameterizedTest
	@EnumSource
	void whoeverSwallowsThatAStatementWasStoppedCannotCommit(Engine engine) throws Exception {
		Subject subject = subject(engine);
		CompletableFuture<String> outcome = new CompletableFuture<>();
		subject.app.on("swallow", () -> outcomeOf(outcome, subject.shop::swallow));
		assertThat(subject.app.code("swallow", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(subject.notes()).isEqualTo("none");
		assertThat(outcome.get(20, TimeUnit.SECONDS)).contains("not committed but rolled back");
	}

	@ParameterizedTest
	@EnumSource
	void switchingAutoCommitOnDoesNotCommitIt(Engine engine) throws Exception {
		Subject subject = subject(engine);
		CompletableFuture<String> outcome = new CompletableFuture<>();
		subject.app.on("switch", () -> outcomeOf(outcome, () -> subject.byHand((statement) -> {
			statement.getConnection().setAutoCommit(false);
			subject.noteAndSwallow(statement);
			statement.getConnection().setAutoCommit(true);
		})));
		assertThat(subject.app.code("switch", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(subject.notes()).isEqualTo("none");
		assertThat(outcome.get(20, TimeUnit.SECONDS)).contains("not committed but rolled back");
	}

	@ParameterizedTest
	@EnumSource
	void commitInTheTextOfAStatementDoesNotCommitIt(Engine engine) throws Exception {
		Subject subject = subject(engine);
		CompletableFuture<String> outcome = new CompletableFuture<>();
		subject.app.on("text", () -> outcomeOf(outcome, () -> subject.byHand((statement) -> {
			statement.getConnection().setAutoCommit(false);
			try {
				subject.noteAndSwallow(statement);
				statement.execute("commit");
			}
			finally {
				statement.getConnection().rollback();
				statement.getConnection().setAutoCommit(true);
			}
		})));
		assertThat(subject.app.code("text", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(subject.notes()).isEqualTo("none");
		assertThat(outcome.get(20, TimeUnit.SECONDS)).contains("not committed but rolled back");
	}

	/**
	 * What was stopped is taken back with its savepoint, and the rest is a late commit.
	 */
	@ParameterizedTest
	@EnumSource
	void nestedTransactionThatIsRolledBackTakesTheStoppedStatementBack(Engine engine) throws Exception {
		Subject subject = subject(engine);
		CompletableFuture<String> outcome = new CompletableFuture<>();
		subject.app.on("nest", () -> outcomeOf(outcome, subject.shop::nest));
		assertThat(subject.app.code("nest", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(subject.notes()).isEqualTo("outer");
		assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo("done");
	}

	@ParameterizedTest
	@EnumSource(names = { "POSTGRES", "H2" })
	void lateCommitIsAllowedCountedAndSaidOnce(Engine engine, CapturedOutput output) {
		Subject subject = subject(engine);
		int before = subject.app.endpoint().at("/commits/late").asInt();
		for (String request : new String[] { "a", "b", "c" }) {
			subject.app.on(request, () -> subject.shop.lateNote(request));
			assertThat(subject.app.code(Calls.ORDER, request, App.SHORT_MILLIS))
				.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			subject.app.awaitIdle();
		}
		assertThat(subject.notes()).isEqualTo("a, b, c");
		assertThat(subject.app.endpoint().at("/commits/late").asInt()).isEqualTo(before + 3);
		assertThat(StringUtils.countOccurrencesOf(output.getAll(),
				"frameworks.v1.Calls/Order committed a transaction after its call had ended"))
			.isEqualTo(1);
	}

	@ParameterizedTest
	@EnumSource(names = { "POSTGRES", "H2" })
	void lateCommitIsRolledBackWhereThePolicySaysSo(Engine engine, CapturedOutput output) throws Exception {
		Subject subject = subject(engine);
		CompletableFuture<String> outcome = new CompletableFuture<>();
		subject.app.on("charge", () -> outcomeOf(outcome, () -> subject.shop.lateNote("charged")));
		assertThat(subject.app.code(Calls.CHARGE, "charge", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(subject.notes()).isEqualTo("none");
		assertThat(outcome.get(20, TimeUnit.SECONDS)).contains("commit-after-end is refuse");
		assertThat(subject.app.endpoint().at("/commits/refused").asInt()).isEqualTo(1);
		assertThat(output.getAll()).contains("frameworks.v1.Calls/Charge was to commit a transaction after its call");
	}

	/**
	 * What comes before the commit leaves less of the grace than the listener needs.
	 */
	@ParameterizedTest
	@EnumSource(names = { "POSTGRES", "H2" })
	void listenerAfterALateCommitGetsThrough(Engine engine) throws Exception {
		Subject subject = subject(engine);
		CompletableFuture<String> outcome = new CompletableFuture<>();
		subject.app.on("publish", () -> outcomeOf(outcome, subject.shop::publishLate));
		assertThat(subject.app.code("publish", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(subject.notes()).isEqualTo("ordered, outbox");
		assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo("done");
	}

	private static String outcomeOf(CompletableFuture<String> outcome, Work work) throws SQLException {
		try {
			work.run();
			outcome.complete("done");
		}
		catch (SQLException | RuntimeException ex) {
			outcome.complete(ex.getMessage());
			throw ex;
		}
		return "answered";
	}

	private static Subject subject(Engine engine) {
		Subject subject = SUBJECTS.computeIfAbsent(engine, Subject::start);
		subject.database.execute("delete from notes");
		return subject;
	}

	@FunctionalInterface
	private interface Work {

		void run() throws SQLException;

	}

	@FunctionalInterface
	private interface Sql {

		void run(Statement statement) throws SQLException;

	}

	private record Subject(App app, Database database, Shop shop) {

		static Subject start(Engine engine) {
			Database database = Database.create(engine, "create table notes (note varchar(40))");
			App app = App.of(Shops.class)
				.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
						DataSourceTransactionManagerAutoConfiguration.class, TransactionAutoConfiguration.class)
				.with(database.properties())
				.with("spring.datasource.hikari.maximum-pool-size=2", "busy-sql=" + database.busySql(),
						"grpc.resilience.server.policies.charge.methods=frameworks.v1.Calls/Charge",
						"grpc.resilience.server.policies.charge.commit-after-end=refuse")
				.start();
			return new Subject(app, database, app.bean(Shop.class));
		}

		String notes() {
			this.app.awaitIdle();
			String notes = this.database.value("select string_agg(note, ', ' order by note) from notes");
			return (notes != null) ? notes : "none";
		}

		void byHand(Sql sql) {
			this.app.bean(JdbcTemplate.class).execute((StatementCallback<Void>) (statement) -> {
				sql.run(statement);
				return null;
			});
		}

		void noteAndSwallow(Statement statement) throws SQLException {
			statement.execute("insert into notes values ('swallowed')");
			try {
				statement.execute(this.database.busySql());
			}
			catch (SQLException ex) {
				// It goes on as if nothing were.
			}
		}

	}

	/** Writes notes, in transactions as Spring has them. */
	static class Shop {

		private final JdbcTemplate jdbc;

		private final TransactionTemplate nested;

		private final ApplicationEventPublisher events;

		private final String busySql;

		Shop(JdbcTemplate jdbc, PlatformTransactionManager transactions, ApplicationEventPublisher events,
				String busySql) {
			this.jdbc = jdbc;
			this.nested = new TransactionTemplate(transactions);
			this.nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
			this.events = events;
			this.busySql = busySql;
		}

		private void note(String note) {
			this.jdbc.update("insert into notes values (?)", note);
		}

		private void swallowing(Runnable work) {
			try {
				work.run();
			}
			catch (DataAccessException ex) {
				// It goes on as if nothing were.
			}
		}

		@Transactional
		void swallow() {
			note("before");
			swallowing(() -> this.jdbc.execute(this.busySql));
			swallowing(() -> note("after"));
		}

		@Transactional
		void nest() {
			note("outer");
			swallowing(() -> this.nested.executeWithoutResult((status) -> {
				note("inner");
				this.jdbc.execute(this.busySql);
			}));
		}

		@Transactional
		String lateNote(String note) {
			note(note);
			App.untilTheEnd();
			return note;
		}

		@Transactional
		void publishLate() {
			note("ordered");
			this.events.publishEvent(new Ordered("outbox"));
			App.untilTheEnd();
			makeStatements(40);
		}

		@TransactionalEventListener
		@Transactional(propagation = Propagation.REQUIRES_NEW)
		void ordered(Ordered event) {
			makeStatements(40);
			note(event.note());
		}

		private void makeStatements(int count) {
			for (int i = 0; i < count; i++) {
				this.jdbc.queryForObject("select " + i, Integer.class);
			}
		}

	}

	/** What listeners hear of once it is committed. */
	record Ordered(String note) {

	}

	@Configuration(proxyBeanMethods = false)
	static class Shops {

		@Bean
		Shop shop(JdbcTemplate jdbc, PlatformTransactionManager transactions, ApplicationEventPublisher events,
				Environment environment) {
			return new Shop(jdbc, transactions, events, environment.getRequiredProperty("busy-sql"));
		}

	}

}
