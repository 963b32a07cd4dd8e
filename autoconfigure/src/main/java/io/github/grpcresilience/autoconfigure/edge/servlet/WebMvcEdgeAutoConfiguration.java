package io.github.grpcresilience.autoconfigure.edge.servlet;

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
import org.springframework.core.env.Environment;
import org.springframework.web.servlet.config.annotation.AsyncSupportConfigurer;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.edge.EdgeConfiguration;
import io.github.grpcresilience.autoconfigure.edge.HttpEdge;

/**
 * Budgets of HTTP requests, and answers to failed gRPC calls, in Spring MVC.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass(name = "org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter")
@ConditionalOnBean(GrpcResilience.class)
@ConditionalOnProperty(name = "grpc.resilience.edge.enabled", matchIfMissing = true)
@Import(EdgeConfiguration.class)
public final class WebMvcEdgeAutoConfiguration {

	/** {@code SessionRepositoryFilter.DEFAULT_ORDER}. */
	private static final int SESSIONS = Integer.MIN_VALUE + 50;

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceEdgeFilter")
	EdgeFilter grpcResilienceEdgeFilter(HttpEdge edge, Environment environment) {
		return new EdgeFilter(edge, order(environment) + 1);
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
	EdgeFailureFilter grpcResilienceEdgeAdvice(HttpEdge edge, Environment environment,
			ObjectProvider<ObservationRegistry> observations) {
		// When an answer is written, nothing of the request is left.
		return new EdgeFailureFilter(edge, order(environment), observations);
	}

	/**
	 * Inside of encoding, forwarded headers, observation and sessions, which are written
	 * when the request is over, and outside of security, whose work counts.
	 */
	private static int order(Environment environment) {
		return Math.max(SESSIONS,
				environment.getProperty("spring.session.servlet.filter-order", Integer.class, SESSIONS)) + 1;
	}

}
