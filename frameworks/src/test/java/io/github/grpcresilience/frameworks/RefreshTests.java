package io.github.grpcresilience.frameworks;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.cloud.autoconfigure.ConfigurationPropertiesRebinderAutoConfiguration;
import org.springframework.cloud.autoconfigure.RefreshAutoConfiguration;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.cloud.context.refresh.ContextRefresher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.env.MapPropertySource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Spring Cloud's refresh, which binds the properties of a pool that has started once
 * more, unless it knows its class.
 */
class RefreshTests {

	@ParameterizedTest
	@ValueSource(strings = { "enforce", "observe" })
	void poolIsLeftAloneAndWhatChangedIsRefreshed(String mode) throws Exception {
		Database database = Database.create();
		try (App app = App.of(Prices.class)
			.auto(DataSourceAutoConfiguration.class, RefreshAutoConfiguration.class,
					ConfigurationPropertiesRebinderAutoConfiguration.class)
			.with(database.properties())
			.with("spring.datasource.hikari.maximum-pool-size=2", "grpc.resilience.mode=" + mode)
			.start()) {
			DataSource pool = app.bean(DataSource.class);
			assertThat(pool.getClass()).isEqualTo(HikariDataSource.class);
			query(pool);
			assertThat(app.bean(Price.class).value()).isEqualTo("none");
			app.bean(ConfigurableEnvironment.class)
				.getPropertySources()
				.addFirst(new MapPropertySource("changed", Map.of("shop.price", "7")));
			app.bean(ContextRefresher.class).refreshEnvironment();
			app.bean(ContextRefresher.class).refresh();
			assertThat(app.bean(DataSource.class)).isSameAs(pool);
			assertThat(app.bean(Price.class).value()).isEqualTo("7");
			query(pool);
		}
	}

	/** What is made anew is covered anew. */
	@Test
	void statementsOfAPoolInRefreshScopeEndWithTheirCall() throws Exception {
		Database database = Database.create();
		try (App app = App.of(ScopedPool.class)
			.auto(RefreshAutoConfiguration.class)
			.with(database.properties())
			.start()) {
			DataSource pool = app.bean(DataSource.class);
			for (int round = 0; round < 2; round++) {
				app.on("sleep" + round, () -> {
					try (Connection connection = pool.getConnection();
							Statement statement = connection.createStatement()) {
						statement.execute("select pg_sleep(60)");
					}
					return "slept";
				});
				assertThat(app.code("sleep" + round, App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
				App.soon().until(() -> !database.isBusy());
				app.bean(ContextRefresher.class).refresh();
			}
		}
	}

	private static void query(DataSource pool) throws SQLException {
		try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
			assertThat(statement.execute("select 1")).isTrue();
		}
	}

	static class Price {

		private final String value;

		Price() {
			this("");
		}

		Price(String value) {
			this.value = value;
		}

		String value() {
			return this.value;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Prices {

		@Bean
		@RefreshScope
		Price price(Environment environment) {
			return new Price(environment.getProperty("shop.price", "none"));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ScopedPool {

		@Bean(destroyMethod = "close")
		@RefreshScope
		HikariDataSource dataSource(Environment environment) {
			HikariDataSource pool = new HikariDataSource();
			pool.setJdbcUrl(environment.getProperty("spring.datasource.url"));
			pool.setUsername(environment.getProperty("spring.datasource.username"));
			pool.setPassword(environment.getProperty("spring.datasource.password"));
			return pool;
		}

	}

}
