package io.github.grpcresilience.autoconfigure;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.logging.Logger;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import jakarta.persistence.EntityManagerFactory;
import org.apache.commons.dbcp2.BasicDataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.support.AopUtils;
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
import org.springframework.orm.jpa.SharedEntityManagerCreator;
import org.springframework.transaction.support.TransactionTemplate;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

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
	void poolOfSpringBootStaysAPoolWithItsSettings() {
		AtomicReference<HikariDataSource> pool = new AtomicReference<>();
		this.runner.run((context) -> {
			HikariDataSource bean = context.getBean(HikariDataSource.class);
			pool.set(bean);
			assertThat(bean.getMaximumPoolSize()).isEqualTo(3);
			assertThat(AopUtils.isAopProxy(bean)).isFalse();
			assertRefusesAbandonedCalls(bean);
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
			CancellableContext call = Context.current().withDeadlineAfter(1_300, TimeUnit.MILLISECONDS, this.timer);
			Throwable thrown = catchThrowable(() -> call.run(() -> statement.accept(context)));
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			GrpcResilience resilience = context.getBean(GrpcResilience.class);
			assertThat(resilience.stoppedWork().sums(Work.STATEMENT).cancelled()).isEqualTo(1);
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

	@Test
	void callWaitsForAConnectionNoLongerThanItHasTime() {
		this.runner.withPropertyValues("spring.datasource.hikari.maximum-pool-size=1").run((context) -> {
			DataSource pool = context.getBean(DataSource.class);
			try (Connection held = pool.getConnection()) {
				// HikariCP itself would wait for 30 s.
				for (int micros = 30_000; micros < 50_000; micros += 1_300) {
					CancellableContext call = Context.current()
						.withDeadlineAfter(micros, TimeUnit.MICROSECONDS, this.timer);
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
	void startedPoolOfTheUserIsKeptAndFoundByItsClass() {
		this.runner.withUserConfiguration(StartedPool.class).run((context) -> {
			HikariDataSource bean = context.getBean(HikariDataSource.class);
			HikariDataSource started = context.getBean(StartedPool.class).started;
			assertThat(started.isClosed()).isFalse();
			assertRefusesAbandonedCalls(bean);
			assertThat(poolMetadataSees(context, bean)).isTrue();
			CancellableContext call = Context.current().withDeadlineAfter(170, TimeUnit.MILLISECONDS, this.timer);
			try (Connection held = started.getConnection()) {
				assertThat(Status.fromThrowable(catchThrowable(() -> call.call(bean::getConnection))).getCode())
					.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
				assertThat(held.isValid(1)).isTrue();
			}
		});
	}

	@ParameterizedTest
	@ValueSource(classes = { BasicDataSource.class, org.apache.tomcat.jdbc.pool.DataSource.class })
	void otherPoolsAreCoveredAndFoundByTheirClass(Class<? extends DataSource> type) {
		this.runner.withPropertyValues("spring.datasource.type=" + type.getName()).run((context) -> {
			DataSource pool = context.getBean(type);
			assertRefusesAbandonedCalls(pool);
			JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
			for (int i = 0; i < 3; i++) {
				CancellableContext call = Context.current().withDeadlineAfter(90, TimeUnit.MILLISECONDS, this.timer);
				Throwable thrown = catchThrowable(() -> call.run(() -> jdbc.queryForObject(BUSY, Long.class)));
				assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			}
			assertThat(poolMetadataSees(context, pool)).isTrue();
			assertThat(jdbc.queryForObject("select 7", Integer.class)).isEqualTo(7);
		});
	}

	@Test
	void otherDataSourcesAreWrappedByTheirInterfaces() {
		this.runner.withUserConfiguration(Embedded.class)
			.run((context) -> assertRefusesAbandonedCalls(context.getBean(EmbeddedDatabase.class)));
		this.runner.withBean(DataSource.class, FinalDataSource::new)
			.run((context) -> assertRefusesAbandonedCalls(context.getBean(DataSource.class)));
	}

	@Test
	void dataSourceInFrontOfAnotherOneCountsOnce() {
		this.runner.withUserConfiguration(InFront.class).run((context) -> {
			JdbcTemplate jdbc = new JdbcTemplate(context.getBean(LazyConnectionDataSourceProxy.class));
			CancellableContext call = Context.current().withDeadlineAfter(160, TimeUnit.MILLISECONDS, this.timer);
			assertThat(Status.fromThrowable(catchThrowable(() -> call.run(() -> jdbc.queryForObject(BUSY, Long.class))))
				.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			assertThat(context.getBean(GrpcResilience.class).stoppedWork().sums(Work.STATEMENT).cancelled())
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

	private static void assertRefusesAbandonedCalls(DataSource dataSource) throws SQLException {
		try (Connection connection = dataSource.getConnection()) {
			assertThat(connection.isValid(1)).isTrue();
		}
		assertThat(Status.fromThrowable(catchThrowable(() -> abandoned().call(dataSource::getConnection))).getCode())
			.isEqualTo(Status.Code.CANCELLED);
	}

	private static void assertIgnoresCalls(DataSource dataSource) throws Exception {
		try (Connection connection = abandoned().call(dataSource::getConnection)) {
			assertThat(connection.isValid(1)).isTrue();
		}
	}

	private static Context abandoned() {
		CancellableContext call = Context.current().withCancellation();
		call.cancel(new IllegalStateException("the caller left"));
		return call;
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
