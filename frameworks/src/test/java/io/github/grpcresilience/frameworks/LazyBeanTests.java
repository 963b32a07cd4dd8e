package io.github.grpcresilience.frameworks;

import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.flyway.FlywayAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.liquibase.LiquibaseAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.jdbc.core.JdbcTemplate;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Beans that come into being in the first call that needs them, and take longer than that
 * call has: they are for everybody.
 */
class LazyBeanTests {

	/**
	 * With {@code spring.main.lazy-initialization} the first call is what migrates.
	 */
	@ParameterizedTest
	@ValueSource(classes = { LiquibaseAutoConfiguration.class, FlywayAutoConfiguration.class })
	void migrationOfALazyApplicationIsDone(Class<?> migration) {
		Database database = Database.create("create table pace (seconds float)", "insert into pace values (0.8)");
		try (App app = App.of()
			.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class, migration)
			.with(database.properties())
			.with("spring.main.lazy-initialization=true", "spring.liquibase.change-log=classpath:db/changelog/slow.sql",
					"spring.flyway.baseline-on-migrate=true", "spring.flyway.baseline-version=0")
			.start()) {
			app.on("count", () -> app.bean(JdbcTemplate.class)
				.queryForObject("select count(*) from more_things", String.class));
			assertThat(database.value("select to_regclass('things')")).isNull();
			assertThat(app.code("count", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			app.awaitIdle();
			assertThat(database.value("select to_regclass('more_things')")).isNotNull();
			assertThat(app.call("count", App.LONG_MILLIS)).isEqualTo("0");
		}
	}

	@Test
	void lazyBeanIsCreatedOnceAndStays() {
		Database database = Database.create();
		try (App app = App.of(Catalogs.class)
			.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class)
			.with(database.properties())
			.start()) {
			app.on("size", () -> app.bean(Catalog.class).size());
			assertThat(app.code("size", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			app.awaitIdle();
			assertThat(app.call("size", App.SHORT_MILLIS)).isEqualTo("7");
			assertThat(Catalog.CREATED).hasValue(1);
		}
	}

	/** Reads itself in when it is created. */
	static class Catalog {

		private static final AtomicInteger CREATED = new AtomicInteger();

		private final String size;

		Catalog(JdbcTemplate jdbc) {
			CREATED.incrementAndGet();
			this.size = jdbc.queryForObject("select 7 from pg_sleep(0.8)", String.class);
		}

		String size() {
			return this.size;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Catalogs {

		@Bean
		@Lazy
		Catalog catalog(JdbcTemplate jdbc) {
			return new Catalog(jdbc);
		}

	}

}
