package io.github.grpcresilience.frameworks;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.Supplier;

import javax.sql.DataSource;

import jakarta.persistence.EntityManager;
import jakarta.persistence.PersistenceContext;
import org.hibernate.cfg.MultiTenancySettings;
import org.hibernate.context.spi.CurrentTenantIdentifierResolver;
import org.hibernate.engine.jdbc.connections.spi.MultiTenantConnectionProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernatePropertiesCustomizer;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.annotation.Transactional;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Hibernate with a schema for each tenant, on one connection: the schema is set when a
 * connection is taken, and set back when it is released.
 */
class HibernateTenantTests {

	private static Database database;

	private static App app;

	private static Notes notes;

	@BeforeAll
	static void start() {
		database = Database.create("create schema a", "create schema b", "create table a.notes (note text)",
				"create table b.notes (note text)", "insert into a.notes values ('of a')",
				"insert into b.notes values ('of b')");
		app = App.of(Tenants.class)
			.auto(DataSourceAutoConfiguration.class, HibernateJpaAutoConfiguration.class,
					TransactionAutoConfiguration.class)
			.with(database.properties())
			.with("spring.datasource.hikari.maximum-pool-size=1")
			.start();
		notes = app.bean(Notes.class);
		app.on("of b", () -> as("b", notes::read));
		assertThat(app.call("of b", App.LONG_MILLIS)).isEqualTo("of b");
	}

	@AfterAll
	static void stop() {
		app.close();
	}

	@ParameterizedTest
	@EnumSource
	void nobodyElseIsLentTheSchemaOfATenantWhoseCallHasEnded(End end) throws SQLException {
		app.on("of a", () -> as("a", notes::readSlowly));
		end.of(app, "of a", database::isBusy);
		try (Connection connection = app.bean(DataSource.class).getConnection()) {
			assertThat(connection.getSchema()).isEqualTo("public");
		}
		assertThat(app.call("of b", App.LONG_MILLIS)).isEqualTo("of b");
		App.soon().untilAsserted(() -> assertThat(database.sessions()).isEqualTo(1));
	}

	private static String as(String tenant, Supplier<String> work) {
		Tenants.CURRENT.set(tenant);
		try {
			return work.get();
		}
		finally {
			Tenants.CURRENT.remove();
		}
	}

	/** Reads in the schema of the tenant. */
	static class Notes {

		@PersistenceContext
		private EntityManager entities;

		@Transactional
		String read() {
			return String
				.valueOf(this.entities.createNativeQuery("select note from notes", String.class).getSingleResult());
		}

		@Transactional
		String readSlowly() {
			return String.valueOf(this.entities.createNativeQuery("select note from notes, pg_sleep(20)", String.class)
				.getSingleResult());
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Tenants {

		private static final ThreadLocal<String> CURRENT = ThreadLocal.withInitial(() -> "public");

		@Bean
		Notes notes() {
			return new Notes();
		}

		@Bean
		HibernatePropertiesCustomizer tenants(DataSource dataSource) {
			return (properties) -> {
				properties.put(MultiTenancySettings.MULTI_TENANT_CONNECTION_PROVIDER, new Schemas(dataSource));
				properties.put(MultiTenancySettings.MULTI_TENANT_IDENTIFIER_RESOLVER, new CurrentTenant());
			};
		}

	}

	/** Sets the schema, and sets it back. */
	private record Schemas(DataSource dataSource) implements MultiTenantConnectionProvider<String> {

		@Override
		public Connection getAnyConnection() throws SQLException {
			return this.dataSource.getConnection();
		}

		@Override
		public void releaseAnyConnection(Connection connection) throws SQLException {
			connection.close();
		}

		@Override
		public Connection getConnection(String tenant) throws SQLException {
			Connection connection = getAnyConnection();
			use(connection, tenant);
			return connection;
		}

		@Override
		public void releaseConnection(String tenant, Connection connection) throws SQLException {
			try {
				use(connection, "public");
			}
			finally {
				connection.close();
			}
		}

		private static void use(Connection connection, String schema) throws SQLException {
			try (Statement statement = connection.createStatement()) {
				statement.execute("set search_path to " + schema);
			}
		}

		@Override
		public boolean supportsAggressiveRelease() {
			return false;
		}

		@Override
		public boolean isUnwrappableAs(Class<?> type) {
			return false;
		}

		@Override
		public <T> T unwrap(Class<T> type) {
			throw new UnsupportedOperationException();
		}

	}

	private static final class CurrentTenant implements CurrentTenantIdentifierResolver<String> {

		@Override
		public String resolveCurrentTenantIdentifier() {
			return Tenants.CURRENT.get();
		}

		@Override
		public boolean validateExistingCurrentSessions() {
			return true;
		}

	}

}
