package io.github.grpcresilience.autoconfigure;

import io.micrometer.observation.ObservationRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.web.servlet.config.annotation.AsyncSupportConfigurer;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

import io.github.grpcresilience.GrpcResilience;

/**
 * Budgets of HTTP requests, and answers to failed gRPC calls, in Spring MVC.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass(name = "org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter")
@ConditionalOnBean(GrpcResilience.class)
@ConditionalOnProperty(name = "grpc.resilience.edge.enabled", matchIfMissing = true)
@Import(EdgeConfiguration.class)
final class WebMvcEdgeAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceEdgeFilter")
	EdgeFilter grpcResilienceEdgeFilter(HttpEdge edge) {
		return new EdgeFilter(edge);
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceEdgeCallables")
	WebMvcConfigurer grpcResilienceEdgeCallables() {
		return new WebMvcConfigurer() {

			@Override
			public void configureAsyncSupport(AsyncSupportConfigurer async) {
				async.registerCallableInterceptors(new EdgeCallables());
			}

		};
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceEdgeAdvice")
	EdgeFailureFilter grpcResilienceEdgeAdvice(HttpEdge edge, ObjectProvider<ObservationRegistry> observations) {
		return new EdgeFailureFilter(edge, observations);
	}

}
