package io.github.grpcresilience.frameworks;

import java.time.Duration;
import java.util.concurrent.locks.Lock;

import javax.sql.DataSource;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.integration.jdbc.lock.DefaultLockRepository;
import org.springframework.integration.jdbc.lock.JdbcLockRegistry;
import org.springframework.integration.jdbc.lock.LockRepository;
import org.springframework.jdbc.core.JdbcTemplate;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Locks that Spring Integration keeps in the database, held while a call works: the other
 * instances of the application wait for them.
 */
class LockRegistryTests {

	private static Database database;

	private static App app;

	@BeforeAll
	static void start() {
		database = Database.create();
		database.executeScript("org/springframework/integration/jdbc/schema-postgresql.sql");
		app = App.of(Locks.class)
			.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
					DataSourceTransactionManagerAutoConfiguration.class, TransactionAutoConfiguration.class)
			.with(database.properties())
			.start();
	}

	@AfterAll
	static void stop() {
		app.close();
	}

	@ParameterizedTest
	@EnumSource
	void lockOfACallThatHasEndedIsFree(End end) {
		app.on("hold", () -> {
			Lock lock = lock("here");
			lock.lock();
			try {
				app.bean(JdbcTemplate.class).execute(database.busySql());
				return "reported";
			}
			finally {
				lock.unlock();
			}
		});
		end.of(app, "hold", database::isBusy);
		Lock elsewhere = lock("elsewhere");
		assertThat(elsewhere.tryLock()).isTrue();
		elsewhere.unlock();
		assertThat(database.value("select count(*) from int_lock")).isEqualTo("0");
	}

	/**
	 * It asks the database again and again, and takes whatever it is told for a reason to
	 * do so once more.
	 */
	@Test
	void callThatWaitsForALockDoesNotGoOnForEver() {
		app.on("wait", () -> {
			Lock lock = lock("here");
			lock.lock();
			try {
				return "held";
			}
			finally {
				lock.unlock();
			}
		});
		Lock elsewhere = lock("elsewhere");
		elsewhere.lock();
		try {
			End.DEADLINE.of(app, "wait", () -> true);
		}
		finally {
			elsewhere.unlock();
		}
		assertThat(database.value("select count(*) from int_lock")).isEqualTo("0");
	}

	private static Lock lock(String instance) {
		return app.bean(instance, JdbcLockRegistry.class).obtain("report");
	}

	/** Two instances of the application, as far as locks can tell. */
	@Configuration(proxyBeanMethods = false)
	static class Locks {

		@Bean
		LockRepository hereRepository(DataSource dataSource) {
			return new DefaultLockRepository(dataSource, "here");
		}

		@Bean
		LockRepository elsewhereRepository(DataSource dataSource) {
			return new DefaultLockRepository(dataSource, "elsewhere");
		}

		@Bean
		JdbcLockRegistry here(LockRepository hereRepository) {
			return registry(hereRepository);
		}

		@Bean
		JdbcLockRegistry elsewhere(LockRepository elsewhereRepository) {
			return registry(elsewhereRepository);
		}

		private static JdbcLockRegistry registry(LockRepository repository) {
			JdbcLockRegistry registry = new JdbcLockRegistry(repository);
			registry.setIdleBetweenTries(Duration.ofMillis(10));
			return registry;
		}

	}

}
