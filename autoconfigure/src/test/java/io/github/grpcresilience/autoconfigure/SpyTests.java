package io.github.grpcresilience.autoconfigure;

import java.sql.SQLException;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.Test;
import org.mockito.ArgumentMatchers;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.test.context.bean.override.mockito.MockitoSpyBean;

import io.github.grpcresilience.autoconfigure.cancellation.CallExecutorAutoConfiguration;
import io.github.grpcresilience.autoconfigure.cancellation.jdbc.CallDataSourceAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.BDDMockito.then;
import static org.mockito.BDDMockito.willThrow;
import static org.mockito.Mockito.reset;

/**
 * Beans that are covered, and spied on by the tests of an application.
 */
@SpringBootTest(webEnvironment = WebEnvironment.NONE,
		properties = "grpc.resilience.cancellation.executors.beans.workers=call")
class SpyTests {

	@MockitoSpyBean
	private DataSource dataSource;

	@MockitoSpyBean
	private ThreadPoolTaskExecutor workers;

	@Autowired
	private JdbcTemplate jdbc;

	@Test
	void poolIsSpiedOn() throws SQLException {
		assertThat(this.dataSource).isInstanceOf(HikariDataSource.class);
		willThrow(new SQLException("down")).given(this.dataSource).getConnection();
		assertThatExceptionOfType(CannotGetJdbcConnectionException.class)
			.isThrownBy(() -> this.jdbc.queryForObject("select 7", Integer.class));
		reset(this.dataSource);
		assertThat(this.jdbc.queryForObject("select 7", Integer.class)).isEqualTo(7);
	}

	@Test
	void executorIsSpiedOn() throws Exception {
		assertThat(this.workers.submit(() -> "done").get()).isEqualTo("done");
		Future<String> unused = then(this.workers).should().submit(ArgumentMatchers.<Callable<String>>any());
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAsync
	@ImportAutoConfiguration({ GrpcResilienceAutoConfiguration.class, CallDataSourceAutoConfiguration.class,
			CallExecutorAutoConfiguration.class, DataSourceAutoConfiguration.class,
			JdbcTemplateAutoConfiguration.class })
	static class Application {

		@Bean
		ThreadPoolTaskExecutor workers() {
			return new ThreadPoolTaskExecutor();
		}

	}

}
