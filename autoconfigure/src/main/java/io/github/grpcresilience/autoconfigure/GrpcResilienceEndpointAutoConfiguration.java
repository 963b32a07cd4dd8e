package io.github.grpcresilience.autoconfigure;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.stack.GrpcResilienceStack;

/**
 * The actuator endpoint.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(
		name = "org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint")
@ConditionalOnBean(GrpcResilience.class)
public final class GrpcResilienceEndpointAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean
	@ConditionalOnAvailableEndpoint
	GrpcResilienceEndpoint grpcResilienceEndpoint(GrpcResilience resilience, ObjectProvider<GrpcResilienceStack> stacks,
			Environment environment) {
		return new GrpcResilienceEndpoint(resilience,
				new ConnectionValues(resilience.connections(), stacks.stream().toList(), environment));
	}

}
