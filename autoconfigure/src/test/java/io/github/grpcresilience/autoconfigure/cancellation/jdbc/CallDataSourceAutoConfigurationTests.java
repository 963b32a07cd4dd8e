package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.logging.Logger;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Status;
import jakarta.persistence.EntityManagerFactory;
import org.apache.commons.dbcp2.BasicDataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcClientAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.metadata.DataSourcePoolMetadataProvidersConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.jdbc.metadata.CompositeDataSourcePoolMetadataProvider;
import org.springframework.boot.jdbc.metadata.DataSourcePoolMetadataProvider;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabase;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseBuilder;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseType;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.orm.jpa.SharedEntityManagerCreator;
import org.springframework.test.util.ReflectionTestUtils;
import org.springframework.transaction.support.TransactionTemplate;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.TestCall;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.tuple;

class CallDataSourceAutoConfigurationTests {

	private static final String BUSY = "select max(a.x + b.x) from system_range(1, 100000) a, system_range(1, 100000) b";

	private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withPropertyValues("spring.datasource.generate-unique-name=true",
				"spring.datasource.hikari.maximum-pool-size=3")
		.withConfiguration(AutoConfigurations.of(GrpcResilienceAutoConfiguration.class,
				CallDataSourceAutoConfiguration.class, DataSourceAutoConfiguration.class,
				DataSourcePoolMetadataProvidersConfiguration.class, JdbcTemplateAutoConfiguration.class,
				JdbcClientAutoConfiguration.class, DataSourceTransactionManagerAutoConfiguration.class,
				TransactionAutoConfiguration.class, HibernateJpaAutoConfiguration.class));

	@AfterEach
	void end() {
		this.timer.shutdownNow();
	}

	@Test
	void poolOfSpringBootStaysItselfWithItsSettings() {
		AtomicReference<HikariDataSource> pool = new AtomicReference<>();
		this.runner.run((context) -> {
			HikariDataSource bean = context.getBean(HikariDataSource.class);
			pool.set(bean);
			assertThat((Object) bean).isExactlyInstanceOf(HikariDataSource.class);
			assertThat(bean.getMaximumPoolSize()).isEqualTo(3);
			assertStopsWithItsCall(context, bean);
			assertThat(poolMetadataSees(context, bean)).isTrue();
			DataSource derived = DataSourceBuilder.derivedFrom(bean).build();
			try (Connection connection = derived.getConnection()) {
				assertThat(connection.isValid(1)).isTrue();
			}
			((AutoCloseable) derived).close();
		});
		assertThat(pool.get().isClosed()).isTrue();
	}

	@ParameterizedTest
	@MethodSource
	void statementsStopWithTheirCallHoweverTheyAreMade(Consumer<ApplicationContext> statement) {
		this.runner.run((context) -> {
			TestCall call = TestCall.begin().timingOutAfter(1_300, TimeUnit.MILLISECONDS, this.timer);
			Throwable thrown = catchThrowable(() -> call.run(() -> statement.accept(context)));
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			GrpcResilience resilience = context.getBean(GrpcResilience.class);
			assertThat(resilience.inspection().stoppedWork().sums(Work.STATEMENT).cancelled()).isEqualTo(1);
			assertThat(context.getBean(HikariDataSource.class).getHikariPoolMXBean().getActiveConnections()).isZero();
		});
	}

	static List<Consumer<ApplicationContext>> statementsStopWithTheirCallHoweverTheyAreMade() {
		return List.of((context) -> context.getBean(JdbcTemplate.class).queryForObject(BUSY, Long.class),
				(context) -> context.getBean(JdbcClient.class).sql(BUSY).query(Long.class).single(),
				(context) -> context.getBean(TransactionTemplate.class)
					.executeWithoutResult(
							(status) -> context.getBean(JdbcTemplate.class).queryForObject(BUSY, Long.class)),
				(context) -> context.getBean(TransactionTemplate.class)
					.executeWithoutResult((status) -> SharedEntityManagerCreator
						.createSharedEntityManager(context.getBean(EntityManagerFactory.class))
						.createNativeQuery(BUSY, Long.class)
						.getSingleResult()));
	}

	/** HikariCP itself would wait for 30 s. */
	@Test
	void callWaitsForAConnectionNoLongerThanItHasTimeWhereAProxyIsAskedFor() {
		this.runner
			.withPropertyValues("spring.datasource.hikari.maximum-pool-size=1",
					"grpc.resilience.cancellation.jdbc.beans.dataSource=proxy")
			.run((context) -> {
				DataSource pool = context.getBean(DataSource.class);
				assertThat(pool).isInstanceOf(HikariDataSource.class);
				try (Connection held = pool.getConnection()) {
					for (int micros = 60_000; micros < 80_000; micros += 1_300) {
						TestCall call = TestCall.begin().timingOutAfter(micros, TimeUnit.MICROSECONDS, this.timer);
						Throwable thrown = catchThrowable(() -> call
							.run(() -> context.getBean(JdbcTemplate.class).queryForObject("select 7", Integer.class)));
						assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
					}
					assertThat(held.isValid(1)).isTrue();
				}
				assertThat(context.getBean(JdbcTemplate.class).queryForObject("select 7", Integer.class)).isEqualTo(7);
			});
	}

	@Test
	void poolThatWaitsForLongIsAFinding() {
		this.runner.run((context) -> assertThat(findings(context)).extracting(Finding::id, Finding::subject)
			.containsExactly(tuple("CONNECTION_WAIT_ABOVE_BUDGET", "dataSource")));
		this.runner.withPropertyValues("spring.datasource.hikari.connection-timeout=1500")
			.run((context) -> assertThat(findings(context)).isEmpty());
	}

	private static List<Finding> findings(ApplicationContext context) {
		return context.getBean(GrpcResilience.class).inspection().findings();
	}

	@Test
	void startedPoolOfTheUserStaysItself() {
		this.runner.withUserConfiguration(StartedPool.class).run((context) -> {
			HikariDataSource bean = context.getBean(HikariDataSource.class);
			HikariDataSource started = context.getBean(StartedPool.class).started;
			assertThat(bean).isSameAs(started);
			assertThat(started.isClosed()).isFalse();
			assertStopsWithItsCall(context, bean);
			assertThat(poolMetadataSees(context, bean)).isTrue();
		});
	}

	@ParameterizedTest
	@ValueSource(classes = { BasicDataSource.class, org.apache.tomcat.jdbc.pool.DataSource.class })
	void otherPoolsAreCoveredAndStayThemselves(Class<? extends DataSource> type) {
		this.runner.withPropertyValues("spring.datasource.type=" + type.getName()).run((context) -> {
			DataSource pool = context.getBean(type);
			assertThat((Object) pool).isExactlyInstanceOf(type);
			assertStopsWithItsCall(context, pool);
			JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
			for (int i = 0; i < 3; i++) {
				TestCall call = TestCall.begin().timingOutAfter(90, TimeUnit.MILLISECONDS, this.timer);
				Throwable thrown = catchThrowable(() -> call.run(() -> jdbc.queryForObject(BUSY, Long.class)));
				assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			}
			assertThat(poolMetadataSees(context, pool)).isTrue();
			assertThat(jdbc.queryForObject("select 7", Integer.class)).isEqualTo(7);
		});
	}

	/**
	 * Such as one that developer tools keep, or tests have in a static field.
	 */
	@ParameterizedTest
	@ValueSource(
			classes = { HikariDataSource.class, BasicDataSource.class, org.apache.tomcat.jdbc.pool.DataSource.class })
	void poolThatOutlivesItsApplicationServesTheNextOne(Class<? extends DataSource> type) throws Exception {
		DataSource pool = DataSourceBuilder.create()
			.type(type)
			.url("jdbc:h2:mem:outlives;DB_CLOSE_DELAY=-1")
			.username("sa")
			.build();
		ApplicationContextRunner application = this.runner.withBean("pool", DataSource.class, () -> pool,
				(bean) -> bean.setDestroyMethodName(""));
		application.run((context) -> assertThat(context.getBean(DataSource.class)).isSameAs(pool));
		for (int i = 0; i < 2; i++) {
			application.run((context) -> assertStopsWithItsCall(context, pool));
		}
		assertIgnoresCalls(pool);
		ReflectionTestUtils.invokeMethod(pool, "close");
	}

	@Test
	void dataSourcesThatAreNoKnownPoolAreLeftAloneUntilAProxyIsAskedFor() {
		this.runner.withUserConfiguration(Embedded.class).run((context) -> {
			assertIgnoresCalls(context.getBean(EmbeddedDatabase.class));
			assertThat(findings(context)).extracting(Finding::id, Finding::subject)
				.containsExactly(tuple("DATA_SOURCE_NOT_COVERED", "embedded"));
		});
		this.runner.withUserConfiguration(Embedded.class)
			.withPropertyValues("grpc.resilience.cancellation.jdbc.beans.embedded=proxy")
			.run((context) -> assertStopsWithItsCall(context, context.getBean(EmbeddedDatabase.class)));
		this.runner.withBean("last", DataSource.class, FinalDataSource::new)
			.withPropertyValues("grpc.resilience.cancellation.jdbc.beans.last=proxy")
			.run((context) -> {
				assertStopsWithItsCall(context, context.getBean(DataSource.class));
				assertThat(findings(context)).isEmpty();
			});
	}

	/** Its tenants are no beans. */
	@Test
	void poolsBehindARoutingDataSourceAreCovered() {
		this.runner.withUserConfiguration(Routing.class)
			.run((context) -> assertStopsWithItsCall(context, context.getBean(AbstractRoutingDataSource.class)));
	}

	@Test
	void observeTouchesNoBean() {
		this.runner.withPropertyValues("grpc.resilience.mode=observe").run((context) -> {
			HikariDataSource bean = context.getBean(HikariDataSource.class);
			assertThat(bean.getDataSource()).isNull();
			assertIgnoresCalls(bean);
		});
	}

	@Test
	void dataSourceInFrontOfAnotherOneCountsOnce() {
		this.runner.withUserConfiguration(InFront.class).run((context) -> {
			JdbcTemplate jdbc = new JdbcTemplate(context.getBean(LazyConnectionDataSourceProxy.class));
			TestCall call = TestCall.begin().timingOutAfter(160, TimeUnit.MILLISECONDS, this.timer);
			assertThat(Status.fromThrowable(catchThrowable(() -> call.run(() -> jdbc.queryForObject(BUSY, Long.class))))
				.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			assertThat(
					context.getBean(GrpcResilience.class).inspection().stoppedWork().sums(Work.STATEMENT).cancelled())
				.isEqualTo(1);
		});
	}

	@Test
	void exemptBeansAreLeftAlone() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.jdbc.exempt-beans=dataSource")
			.run((context) -> assertIgnoresCalls(context.getBean(DataSource.class)));
	}

	@Test
	void switchedOffNothingIsWrapped() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.jdbc.enabled=false").run((context) -> {
			assertThat(context).doesNotHaveBean(CallDataSources.class);
			assertIgnoresCalls(context.getBean(DataSource.class));
		});
		this.runner.withPropertyValues("grpc.resilience.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(CallDataSources.class));
	}

	@Test
	void hikariIsNotNeeded() {
		this.runner.withClassLoader(new FilteredClassLoader(HikariDataSource.class))
			.run((context) -> assertThat(context).hasNotFailed());
	}

	private void assertStopsWithItsCall(ApplicationContext context, DataSource dataSource) {
		TestCall call = TestCall.begin().timingOutAfter(120, TimeUnit.MILLISECONDS, this.timer);
		Throwable thrown = catchThrowable(
				() -> call.run(() -> new JdbcTemplate(dataSource).queryForObject(BUSY, Long.class)));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(context.getBean(GrpcResilience.class).inspection().stoppedWork().sums(Work.STATEMENT).cancelled())
			.isPositive();
		assertThat(new JdbcTemplate(dataSource).queryForObject("select 7", Integer.class)).isEqualTo(7);
	}

	private static void assertIgnoresCalls(DataSource dataSource) throws Exception {
		TestCall call = TestCall.begin();
		call.abandon();
		for (int i = 0; i < 150; i++) {
			assertThat(call.<Integer>call(() -> new JdbcTemplate(dataSource).queryForObject("select 7", Integer.class)))
				.isEqualTo(7);
		}
	}

	private static boolean poolMetadataSees(ApplicationContext context, DataSource dataSource) throws SQLException {
		DataSourcePoolMetadataProvider provider = new CompositeDataSourcePoolMetadataProvider(
				context.getBeansOfType(DataSourcePoolMetadataProvider.class).values());
		try (Connection connection = dataSource.getConnection()) {
			return connection.isValid(1)
					&& Integer.valueOf(1).equals(provider.getDataSourcePoolMetadata(dataSource).getActive());
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class StartedPool {

		private HikariDataSource started;

		@Bean
		HikariDataSource pool() {
			HikariConfig config = new HikariConfig();
			config.setJdbcUrl("jdbc:h2:mem:started");
			config.setMaximumPoolSize(1);
			this.started = new HikariDataSource(config);
			return this.started;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Embedded {

		@Bean
		EmbeddedDatabase embedded() {
			return new EmbeddedDatabaseBuilder().setType(EmbeddedDatabaseType.H2).generateUniqueName(true).build();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Routing {

		@Bean
		AbstractRoutingDataSource routing() {
			AbstractRoutingDataSource routing = new AbstractRoutingDataSource() {

				@Override
				protected Object determineCurrentLookupKey() {
					return "a";
				}

			};
			routing.setTargetDataSources(Map.of("a", tenant("a"), "b", tenant("b")));
			return routing;
		}

		private static DataSource tenant(String name) {
			return DataSourceBuilder.create().type(HikariDataSource.class).url("jdbc:h2:mem:tenant-" + name).build();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class InFront {

		@Bean
		HikariDataSource behind() {
			return DataSourceBuilder.create().type(HikariDataSource.class).url("jdbc:h2:mem:behind").build();
		}

		@Bean
		LazyConnectionDataSourceProxy inFront(HikariDataSource behind) {
			return new LazyConnectionDataSourceProxy(behind);
		}

	}

	static final class FinalDataSource implements DataSource {

		@Override
		public Connection getConnection() throws SQLException {
			return DriverManager.getConnection("jdbc:h2:mem:final");
		}

		@Override
		public Connection getConnection(String username, String password) throws SQLException {
			return DriverManager.getConnection("jdbc:h2:mem:final", username, password);
		}

		@Override
		public PrintWriter getLogWriter() {
			return null;
		}

		@Override
		public void setLogWriter(PrintWriter writer) {
			// Nothing is logged.
		}

		@Override
		public int getLoginTimeout() {
			return 0;
		}

		@Override
		public void setLoginTimeout(int seconds) {
			// Nothing is waited for.
		}

		@Override
		public Logger getParentLogger() throws SQLFeatureNotSupportedException {
			throw new SQLFeatureNotSupportedException();
		}

		@Override
		public <T> T unwrap(Class<T> type) throws SQLException {
			throw new SQLException("wraps nothing");
		}

		@Override
		public boolean isWrapperFor(Class<?> type) {
			return false;
		}

	}

}
