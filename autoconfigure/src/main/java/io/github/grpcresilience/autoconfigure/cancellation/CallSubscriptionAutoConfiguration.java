package io.github.grpcresilience.autoconfigure.cancellation;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.cancel.reactor.CallSubscriptions;

/**
 * Subscriptions to Reactor publishers that end with their call. Reactor's own hook for
 * tasks, if the application wants it, comes after ours.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class,
		beforeName = "org.springframework.boot.autoconfigure.reactor.ReactorAutoConfiguration")
@ConditionalOnClass(name = "reactor.core.publisher.Hooks")
@ConditionalOnBean(GrpcResilience.class)
@ConditionalOnProperty(name = "grpc.resilience.cancellation.reactor.enabled", matchIfMissing = true)
public final class CallSubscriptionAutoConfiguration {

	/**
	 * Nobody asks for it, so it must not wait for somebody who does.
	 */
	@Bean(destroyMethod = "close")
	@Lazy(false)
	CallSubscriptions grpcResilienceSubscriptions(GrpcResilience resilience) {
		return CallSubscriptions.install(resilience.work().canceller());
	}

}
