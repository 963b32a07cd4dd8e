package io.github.grpcresilience.frameworks;

import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

import javax.sql.DataSource;

import liquibase.exception.LiquibaseException;
import liquibase.integration.spring.SpringLiquibase;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.core.io.DefaultResourceLoader;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Migrations that a handler runs, such as for a new tenant, and that take longer than its
 * call: whoever migrates next finds no lock.
 */
class MigrationTests {

	private static Database database;

	private static App app;

	@BeforeAll
	static void start() {
		database = Database.create("create table pace (seconds float)", "insert into pace values (0)",
				"create schema warm");
		app = App.of().auto(DataSourceAutoConfiguration.class).with(database.properties()).start();
		for (Tool tool : Tool.values()) {
			migrate(tool, "warm_" + tool.name().toLowerCase(Locale.ROOT));
		}
	}

	@AfterAll
	static void stop() {
		app.close();
	}

	static Stream<Arguments> toolsAndEnds() {
		return Stream.of(Tool.values())
			.flatMap((tool) -> Stream.of(End.values()).map((end) -> Arguments.of(tool, end)));
	}

	@ParameterizedTest
	@MethodSource("toolsAndEnds")
	void migrationThatIsStoppedLetsItsLockGo(Tool tool, End end) {
		String schema = (tool + "_" + end).toLowerCase(Locale.ROOT);
		database.execute("update pace set seconds = 20");
		app.on("migrate", () -> migrate(tool, schema));
		end.of(app, "migrate", database::isBusy);
		assertThat(database.value("select count(*) from pg_locks where locktype = 'advisory'")).isEqualTo("0");

		database.execute("update pace set seconds = 0");
		assertThat(app.call("migrate", App.LONG_MILLIS)).isEqualTo("migrated");
		assertThat(database.value("select to_regclass('" + schema + ".more_things')")).isNotNull();
	}

	private static String migrate(Tool tool, String schema) {
		database.execute("create schema if not exists " + schema);
		tool.migrate(app.bean(DataSource.class), schema);
		return "migrated";
	}

	/** What migrates. */
	enum Tool {

		LIQUIBASE {

			@Override
			void migrate(DataSource dataSource, String schema) {
				SpringLiquibase liquibase = new SpringLiquibase();
				liquibase.setDataSource(dataSource);
				liquibase.setDefaultSchema(schema);
				liquibase.setChangeLog("classpath:db/changelog/slow.sql");
				liquibase.setResourceLoader(new DefaultResourceLoader());
				try {
					liquibase.afterPropertiesSet();
				}
				catch (LiquibaseException ex) {
					throw new IllegalStateException(ex);
				}
			}

		},

		FLYWAY {

			@Override
			void migrate(DataSource dataSource, String schema) {
				flyway(dataSource, schema, "true");
			}

		},

		/** Locks for the session, and unlocks when it is done. */
		FLYWAY_WITH_A_SESSION_LOCK {

			@Override
			void migrate(DataSource dataSource, String schema) {
				flyway(dataSource, schema, "false");
			}

		};

		abstract void migrate(DataSource dataSource, String schema);

		private static void flyway(DataSource dataSource, String schema, String transactionalLock) {
			Flyway.configure()
				.dataSource(dataSource)
				.defaultSchema(schema)
				.configuration(Map.of("flyway.postgresql.transactional.lock", transactionalLock))
				.load()
				.migrate();
		}

	}

}
