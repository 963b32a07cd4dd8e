package io.github.grpcresilience.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.http.codec.ServerCodecConfigurer;

import io.github.grpcresilience.GrpcResilience;

/**
 * Budgets of HTTP requests, and answers to failed gRPC calls, in Spring WebFlux.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
@ConditionalOnClass(name = "org.springframework.web.reactive.function.server.ServerResponse")
@ConditionalOnBean(GrpcResilience.class)
@ConditionalOnProperty(name = "grpc.resilience.edge.enabled", matchIfMissing = true)
@Import(EdgeConfiguration.class)
final class WebFluxEdgeAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceEdgeWebFilter")
	EdgeWebFilter grpcResilienceEdgeWebFilter(HttpEdge edge, ServerCodecConfigurer codecs) {
		return new EdgeWebFilter(edge, new EdgeExchange(codecs.getWriters()));
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceEdgeExceptionHandler")
	EdgeExceptionHandler grpcResilienceEdgeExceptionHandler(HttpEdge edge, ServerCodecConfigurer codecs) {
		return new EdgeExceptionHandler(edge, new EdgeExchange(codecs.getWriters()));
	}

}
