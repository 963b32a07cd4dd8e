package io.github.grpcresilience.autoconfigure.stack;

import io.grpc.protobuf.services.HealthStatusManager;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;

/**
 * Lets servers go away without a call that fails for it, whichever stack they are of.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnBean(GrpcResilience.class)
public final class ServerDrainAutoConfiguration {

	@Bean
	ServerDrain grpcResilienceServerDrain(GrpcResilience resilience, ApplicationContext context,
			ObjectProvider<ServerHealth> health, ObjectProvider<GrpcResilienceStack> stacks) {
		return new ServerDrain(resilience, context, health::stream, stacks::orderedStream);
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "io.grpc.protobuf.services.HealthStatusManager")
	static final class Health {

		@Bean
		ServerHealth grpcResilienceServerHealth(ObjectProvider<HealthStatusManager> managers) {
			// Whoever sets a status from then on, sets nothing.
			return () -> managers.stream().forEach(HealthStatusManager::enterTerminalState);
		}

	}

}
