package io.github.grpcresilience.autoconfigure.cancellation.http;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.reactive.function.client.WebClientCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;

/**
 * Lets requests of WebClient end with the call that makes them, if they come from Spring
 * Boot's builder.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnProperty(name = "grpc.resilience.cancellation.http.enabled", matchIfMissing = true)
@ConditionalOnClass(name = { "org.springframework.web.reactive.function.client.WebClient",
		"org.springframework.boot.web.reactive.function.client.WebClientCustomizer" })
@ConditionalOnBean(GrpcResilience.class)
public final class WebClientCancellationAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceWebClientCustomizer")
	@Order(Ordered.LOWEST_PRECEDENCE)
	WebClientCustomizer grpcResilienceWebClientCustomizer(GrpcResilience resilience) {
		return (client) -> client.filter(new CallExchangeFilter(resilience.work().httpExchanges()));
	}

}
