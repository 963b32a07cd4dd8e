package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;

/**
 * SQL statements that end with their call.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(name = { "javax.sql.DataSource", "org.springframework.aop.framework.ProxyFactory" })
@ConditionalOnBean({ GrpcResilience.class, BoundProperties.class })
@ConditionalOnProperty(name = "grpc.resilience.cancellation.jdbc.enabled", matchIfMissing = true)
public final class CallDataSourceAutoConfiguration {

	private CallDataSourceAutoConfiguration() {
	}

	/**
	 * Static and lazy, as it processes beans that come early.
	 */
	@Bean
	static CallDataSources grpcResilienceDataSources(ObjectProvider<GrpcResilience> resilience,
			ObjectProvider<BoundProperties> properties) {
		return new CallDataSources(resilience, properties);
	}

}
