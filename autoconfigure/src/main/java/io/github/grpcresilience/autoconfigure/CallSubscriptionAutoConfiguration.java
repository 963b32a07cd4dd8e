package io.github.grpcresilience.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.cancel.reactor.CallSubscriptions;

/**
 * Reactor subscriptions that see the call in which they begin, and end with it.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(name = "reactor.core.publisher.Hooks")
@ConditionalOnBean({ GrpcResilience.class, BoundProperties.class })
@ConditionalOnProperty(name = "grpc.resilience.cancellation.reactor.enabled", matchIfMissing = true)
final class CallSubscriptionAutoConfiguration {

	@Bean(destroyMethod = "close")
	@ConditionalOnMissingBean
	CallSubscriptions grpcResilienceSubscriptions(GrpcResilience resilience) {
		return CallSubscriptions.install(resilience.canceller());
	}

}
