package io.github.grpcresilience.autoconfigure;

import java.util.List;
import java.util.function.Function;

import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;

import io.github.grpcresilience.breaker.GateSource;
import io.github.grpcresilience.breaker.resilience4j.BreakerConfigs;
import io.github.grpcresilience.breaker.resilience4j.BreakerInstances;
import io.github.grpcresilience.breaker.resilience4j.Bulkheads;
import io.github.grpcresilience.breaker.resilience4j.RateLimiters;

/**
 * Circuit breakers and limits of calls that are made, from the registries that the
 * application has. None is created here.
 */
@AutoConfiguration(before = GrpcResilienceAutoConfiguration.class)
@Conditional(OnGrpcResilienceEnabled.class)
final class AttemptGateAutoConfiguration {

	@Bean
	ApplicationGates grpcResilienceAttemptGates(ObjectProvider<ApplicationGates.Registry> registries) {
		return new ApplicationGates(registries);
	}

	private static <R> ApplicationGates.Registry registry(ObjectProvider<R> beans,
			Function<R, List<GateSource>> sources) {
		return () -> {
			R registry = beans.getIfUnique();
			return (registry != null) ? sources.apply(registry) : List.of();
		};
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry")
	static class CircuitBreakers {

		@Bean
		ApplicationGates.Registry grpcResilienceCircuitBreakers(ObjectProvider<CircuitBreakerRegistry> registries) {
			return registry(registries,
					(registry) -> List.of(new BreakerInstances(() -> registry), new BreakerConfigs(() -> registry)));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "io.github.resilience4j.bulkhead.BulkheadRegistry")
	static class BulkheadPlaces {

		@Bean
		ApplicationGates.Registry grpcResilienceBulkheads(ObjectProvider<BulkheadRegistry> registries) {
			return registry(registries, (registry) -> List.of(new Bulkheads(() -> registry)));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "io.github.resilience4j.ratelimiter.RateLimiterRegistry")
	static class Rates {

		@Bean
		ApplicationGates.Registry grpcResilienceRateLimiters(ObjectProvider<RateLimiterRegistry> registries) {
			return registry(registries, (registry) -> List.of(new RateLimiters(() -> registry)));
		}

	}

}
