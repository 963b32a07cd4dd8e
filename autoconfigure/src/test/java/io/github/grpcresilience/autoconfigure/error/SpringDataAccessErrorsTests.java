package io.github.grpcresilience.autoconfigure.error;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;

import io.grpc.Status;
import jakarta.persistence.EntityExistsException;
import jakarta.persistence.EntityNotFoundException;
import jakarta.persistence.LockTimeoutException;
import jakarta.persistence.NoResultException;
import jakarta.persistence.NonUniqueResultException;
import jakarta.persistence.OptimisticLockException;
import jakarta.persistence.PessimisticLockException;
import jakarta.persistence.QueryTimeoutException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.dao.CannotAcquireLockException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.dao.IncorrectResultSizeDataAccessException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessResourceException;
import org.springframework.jdbc.BadSqlGrammarException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.orm.ObjectOptimisticLockingFailureException;
import org.springframework.orm.jpa.JpaObjectRetrievalFailureException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionTimedOutException;
import org.springframework.transaction.support.TransactionTemplate;

import io.github.grpcresilience.autoconfigure.Answers;
import io.github.grpcresilience.error.GrpcError;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class SpringDataAccessErrorsTests {

	private static final String URL = "jdbc:h2:mem:secret-errors;LOCK_TIMEOUT=20000";

	private final SpringDataAccessErrors errors = new SpringDataAccessErrors();

	private SingleConnectionDataSource dataSource;

	private JdbcTemplate jdbc;

	@BeforeEach
	void createTable() {
		this.dataSource = new SingleConnectionDataSource(URL, true);
		this.jdbc = new JdbcTemplate(this.dataSource);
		this.jdbc
			.execute("create table secret_stock(id int constraint secret_key primary key, sku varchar(9) not null)");
		this.jdbc.execute("insert into secret_stock values (1, 'A'), (2, 'B')");
	}

	@AfterEach
	void dropTable() {
		this.jdbc.execute("drop table secret_stock");
		this.dataSource.destroy();
	}

	@Test
	void duplicateKeyExistsAlready() {
		assertAnswer(thrownBy(() -> this.jdbc.update("insert into secret_stock values (1, 'C')")),
				Status.Code.ALREADY_EXISTS, "DUPLICATE_KEY");
	}

	@Test
	void otherBrokenConstraintsAreNotMapped() {
		assertUnmapped(thrownBy(() -> this.jdbc.update("insert into secret_stock values (7, null)")),
				DataIntegrityViolationException.class);
	}

	@Test
	void wrongSqlIsNotMapped() {
		assertUnmapped(thrownBy(() -> this.jdbc.execute("selct 1")), BadSqlGrammarException.class);
	}

	@Test
	void nothingFoundIsNotFound() {
		assertAnswer(
				thrownBy(() -> this.jdbc.queryForObject("select sku from secret_stock where id = 7", String.class)),
				Status.Code.NOT_FOUND, "NOT_FOUND");
	}

	@Test
	void tooMuchFoundIsNotMapped() {
		assertUnmapped(thrownBy(() -> this.jdbc.queryForObject("select sku from secret_stock", String.class)),
				IncorrectResultSizeDataAccessException.class);
	}

	@Test
	void queryTimeoutIsADeadline() {
		this.jdbc.execute("set query_timeout 7");
		assertAnswer(
				thrownBy(() -> this.jdbc.queryForObject(
						"select sum(a.x * b.x) from system_range(1, 100000) a, system_range(1, 100000) b", Long.class)),
				Status.Code.DEADLINE_EXCEEDED, "QUERY_TIMEOUT");
	}

	@Test
	void transactionTimeoutIsADeadline() {
		TransactionTemplate transaction = new TransactionTemplate(new JdbcTransactionManager(this.dataSource));
		transaction.setTimeout(0);
		Throwable thrown = thrownBy(() -> transaction
			.executeWithoutResult((status) -> this.jdbc.update("delete from secret_stock where id = 7")));
		assertThat(thrown).isInstanceOf(TransactionTimedOutException.class);
		assertAnswer(thrown, Status.Code.DEADLINE_EXCEEDED, "QUERY_TIMEOUT");
	}

	@Test
	void deadlockIsAConcurrentUpdate() throws SQLException {
		SingleConnectionDataSource otherSource = new SingleConnectionDataSource(URL, true);
		JdbcTemplate other = new JdbcTemplate(otherSource);
		try (Connection mine = this.dataSource.getConnection(); Connection others = otherSource.getConnection()) {
			mine.setAutoCommit(false);
			others.setAutoCommit(false);
			this.jdbc.update("update secret_stock set sku = 'M' where id = 1");
			other.update("update secret_stock set sku = 'O' where id = 2");
			CompletableFuture<Integer> waiting = CompletableFuture
				.supplyAsync(() -> other.update("update secret_stock set sku = 'O' where id = 1"));
			Throwable thrown = thrownBy(() -> this.jdbc.update("update secret_stock set sku = 'M' where id = 2"));
			mine.rollback();
			if (thrown == null) {
				thrown = catchThrowable(waiting::get);
				assertThat(thrown).isInstanceOf(ExecutionException.class);
				thrown = thrown.getCause();
			}
			else {
				waiting.join();
			}
			others.rollback();
			mine.setAutoCommit(true);
			assertAnswer(thrown, Status.Code.ABORTED, "CONCURRENT_UPDATE");
		}
		finally {
			otherSource.destroy();
		}
	}

	@Test
	void unreachableDatabaseIsUnavailable() {
		DriverManagerDataSource nowhere = new DriverManagerDataSource("jdbc:h2:tcp://127.0.0.1:1/secret");
		assertAnswer(thrownBy(() -> new JdbcTemplate(nowhere).execute("select 1")), Status.Code.UNAVAILABLE,
				"DATABASE_UNAVAILABLE");
		Throwable thrown = thrownBy(
				() -> new TransactionTemplate(new JdbcTransactionManager(nowhere)).executeWithoutResult((status) -> {
				}));
		assertThat(thrown).isInstanceOf(CannotCreateTransactionException.class);
		assertAnswer(thrown, Status.Code.UNAVAILABLE, "DATABASE_UNAVAILABLE");
	}

	@ParameterizedTest
	@MethodSource
	void otherExceptionsOfSpring(Throwable thrown, Status.Code code, String reason) {
		assertAnswer(thrown, code, reason);
	}

	static Stream<Arguments> otherExceptionsOfSpring() {
		return Stream.of(
				Arguments.of(new ObjectOptimisticLockingFailureException("secret.Entity", 7), Status.Code.ABORTED,
						"CONCURRENT_UPDATE"),
				Arguments.of(new CannotAcquireLockException("secret"), Status.Code.ABORTED, "CONCURRENT_UPDATE"),
				Arguments.of(new TransientDataAccessResourceException("secret"), Status.Code.UNAVAILABLE,
						"DATABASE_UNAVAILABLE"),
				Arguments.of(new RecoverableDataAccessException("secret"), Status.Code.UNAVAILABLE,
						"DATABASE_UNAVAILABLE"));
	}

	@Test
	void missingEntityIsNotFound() {
		Throwable thrown = new JpaObjectRetrievalFailureException(new EntityNotFoundException("secret.Entity"));
		assertAnswer(Answers.map(new SpringOrmErrors(), thrown), Status.Code.NOT_FOUND, "NOT_FOUND");
	}

	@ParameterizedTest
	@MethodSource
	void exceptionsOfJakartaPersistence(Throwable thrown, Status.Code code, String reason) {
		assertAnswer(Answers.map(new PersistenceErrors(), thrown), code, reason);
	}

	static Stream<Arguments> exceptionsOfJakartaPersistence() {
		return Stream.of(Arguments.of(new EntityExistsException("secret"), Status.Code.ALREADY_EXISTS, "DUPLICATE_KEY"),
				Arguments.of(new EntityNotFoundException("secret"), Status.Code.NOT_FOUND, "NOT_FOUND"),
				Arguments.of(new NoResultException("secret"), Status.Code.NOT_FOUND, "NOT_FOUND"),
				Arguments.of(new OptimisticLockException("secret"), Status.Code.ABORTED, "CONCURRENT_UPDATE"),
				Arguments.of(new PessimisticLockException("secret"), Status.Code.ABORTED, "CONCURRENT_UPDATE"),
				Arguments.of(new LockTimeoutException("secret"), Status.Code.ABORTED, "CONCURRENT_UPDATE"),
				Arguments.of(new QueryTimeoutException("secret"), Status.Code.DEADLINE_EXCEEDED, "QUERY_TIMEOUT"));
	}

	@Test
	void severalResultsAreNotMapped() {
		assertThat(Answers.map(new PersistenceErrors(), new NonUniqueResultException("secret"))).isNull();
	}

	private static Throwable thrownBy(ThrowingCallable code) {
		return catchThrowable(code);
	}

	private void assertUnmapped(Throwable thrown, Class<? extends Throwable> type) {
		assertThat(thrown).isInstanceOf(type);
		assertThat(Answers.map(this.errors, thrown)).isNull();
	}

	private void assertAnswer(Throwable thrown, Status.Code code, String reason) {
		assertThat(thrown).isNotNull();
		assertAnswer(Answers.map(this.errors, thrown), code, reason);
	}

	private static void assertAnswer(GrpcError error, Status.Code code, String reason) {
		assertThat(error).isNotNull();
		assertThat(error.code()).isEqualTo(code);
		assertThat(error.reason()).isEqualTo(reason);
		assertThat(Answers.details(error)).containsExactly("ErrorInfo");
		assertThat(Answers.text(error)).doesNotContainIgnoringCase("secret", "select", "insert", "stock", "org.", "h2");
	}

}
