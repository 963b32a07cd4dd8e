package io.github.grpcresilience.boot4;

import io.grpc.ManagedChannelBuilder;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.grpc.client.autoconfigure.GrpcClientProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.grpc.client.GrpcChannelBuilderCustomizer;

import io.github.grpcresilience.Connections;
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

	/**
	 * Comes first, so that what the application's customizers set holds.
	 */
	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceConnections")
	@Order(Ordered.HIGHEST_PRECEDENCE)
	static GrpcChannelBuilderCustomizer<?> grpcResilienceConnections(ObjectProvider<GrpcResilience> resilience,
			ObjectProvider<GrpcClientProperties> properties, Environment environment) {
		return new Keeping<>(resilience, properties, environment);
	}

	@Bean
	static ClientStack grpcResilienceBoot4Clients(ObjectProvider<GrpcClientProperties> properties,
			ChannelFactories factories) {
		return new ClientStack(properties, factories);
	}

	/**
	 * A class, since what a customizer is for is read from its type.
	 */
	private record Keeping<T extends ManagedChannelBuilder<T>>(ObjectProvider<GrpcResilience> resilience,
			ObjectProvider<GrpcClientProperties> properties,
			Environment environment) implements GrpcChannelBuilderCustomizer<T> {

		@Override
		public void customize(String client, T channel) {
			Connections connections = this.resilience.getObject().connections();
			GrpcClientProperties known = this.properties.getIfAvailable();
			connections.configure(channel, client, Boot4Connections.ofClient(client, known).setIn(this.environment));
			String policy = Boot4Connections.policy(client, known);
			if (policy != null) {
				connections.balance(channel, client, policy);
			}
		}

	}

}
