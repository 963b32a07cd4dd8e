package io.github.grpcresilience.boot4;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.grpc.client.autoconfigure.GrpcClientProperties;
import org.springframework.context.annotation.Bean;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;

/**
 * Protects the clients of Spring Boot's own gRPC, by the name of their channel, or by
 * their target where it has no name.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(name = { "org.springframework.grpc.client.GrpcChannelFactory",
		"org.springframework.boot.grpc.client.autoconfigure.GrpcClientAutoConfiguration" })
@ConditionalOnBean(GrpcResilience.class)
final class Boot4ClientAutoConfiguration {

	private Boot4ClientAutoConfiguration() {
	}

	/**
	 * Static and lazy, as it processes beans that come early.
	 */
	@Bean
	static ChannelFactories grpcResilienceChannelFactories(ObjectProvider<GrpcResilience> resilience) {
		return new ChannelFactories(resilience);
	}

	@Bean
	static ClientStack grpcResilienceBoot4Clients(ObjectProvider<GrpcClientProperties> properties,
			ChannelFactories factories) {
		return new ClientStack(properties, factories);
	}

}
