package io.github.grpcresilience.autoconfigure.edge.reactive;

import java.util.Arrays;
import java.util.Set;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.web.server.WebExceptionHandler;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.edge.EdgeConfiguration;
import io.github.grpcresilience.autoconfigure.edge.HttpEdge;

/**
 * Budgets of HTTP requests, and answers to failed gRPC calls, in Spring WebFlux.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class,
		beforeName = { "org.springframework.boot.autoconfigure.web.reactive.error.ErrorWebFluxAutoConfiguration",
				"org.springframework.boot.webflux.autoconfigure.error.ErrorWebFluxAutoConfiguration" })
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
@ConditionalOnClass(name = "org.springframework.web.reactive.function.server.ServerResponse")
@ConditionalOnBean(GrpcResilience.class)
@ConditionalOnProperty(name = "grpc.resilience.edge.enabled", matchIfMissing = true)
@Import(EdgeConfiguration.class)
public final class WebFluxEdgeAutoConfiguration {

	private static final Set<String> NO_PAGES = Set.of("responseStatusExceptionHandler",
			"grpcResilienceEdgeExceptionHandler");

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceEdgeWebFilter")
	EdgeWebFilter grpcResilienceEdgeWebFilter(HttpEdge edge, ListableBeanFactory beans) {
		return new EdgeWebFilter(edge, new EdgeExchange(edge, hasPages(beans)));
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceEdgeExceptionHandler")
	EdgeExceptionHandler grpcResilienceEdgeExceptionHandler(HttpEdge edge, ListableBeanFactory beans) {
		return new EdgeExceptionHandler(edge, new EdgeExchange(edge, hasPages(beans)));
	}

	/**
	 * Whether anybody but Spring WebFlux, which knows no pages, and we ourselves answers
	 * exceptions.
	 */
	private static boolean hasPages(ListableBeanFactory beans) {
		return Arrays.stream(beans.getBeanNamesForType(WebExceptionHandler.class, true, false))
			.anyMatch((name) -> !NO_PAGES.contains(name));
	}

}
