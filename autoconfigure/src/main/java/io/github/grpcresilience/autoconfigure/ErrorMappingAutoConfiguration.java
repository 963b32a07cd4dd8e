package io.github.grpcresilience.autoconfigure;

import java.util.function.Supplier;

import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.error.protovalidate.ProtovalidateCheck;
import io.github.grpcresilience.error.resilience4j.BulkheadErrors;
import io.github.grpcresilience.error.resilience4j.CircuitBreakerErrors;
import io.github.grpcresilience.error.resilience4j.RateLimiterErrors;
import io.github.grpcresilience.error.validation.ValidationErrors;

/**
 * What exceptions of the libraries mean that the application has, and the check of
 * requests by protovalidate.
 */
@AutoConfiguration(before = GrpcResilienceAutoConfiguration.class)
@Conditional(OnGrpcResilienceEnabled.class)
final class ErrorMappingAutoConfiguration {

	@Bean
	SpringValidationErrors grpcResilienceSpringValidationErrors() {
		return new SpringValidationErrors();
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "jakarta.validation.ConstraintViolationException")
	static class JakartaValidation {

		@Bean
		ValidationErrors grpcResilienceValidationErrors() {
			return new ValidationErrors();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.web.ErrorResponse")
	static class SpringWeb {

		@Bean
		SpringWebErrors grpcResilienceSpringWebErrors() {
			return new SpringWebErrors();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.security.core.AuthenticationException")
	static class SpringSecurity {

		@Bean
		SpringSecurityErrors grpcResilienceSpringSecurityErrors() {
			return new SpringSecurityErrors();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.dao.DataAccessException")
	static class SpringDataAccess {

		@Bean
		SpringDataAccessErrors grpcResilienceSpringDataAccessErrors() {
			return new SpringDataAccessErrors();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.orm.ObjectRetrievalFailureException")
	static class SpringOrm {

		@Bean
		SpringOrmErrors grpcResilienceSpringOrmErrors() {
			return new SpringOrmErrors();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "jakarta.persistence.PersistenceException")
	static class Persistence {

		@Bean
		PersistenceErrors grpcResiliencePersistenceErrors() {
			return new PersistenceErrors();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "io.github.resilience4j.bulkhead.BulkheadFullException")
	static class Bulkheads {

		@Bean
		BulkheadErrors grpcResilienceBulkheadErrors() {
			return new BulkheadErrors();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "io.github.resilience4j.circuitbreaker.CallNotPermittedException")
	static class CircuitBreakers {

		/**
		 * Asks for the registry when a call is rejected: what is needed this early must
		 * not create other beans.
		 */
		@Bean
		CircuitBreakerErrors grpcResilienceCircuitBreakerErrors(ObjectProvider<CircuitBreakerRegistry> registries) {
			Supplier<CircuitBreakerRegistry> registry = SingletonSupplier
				.of(() -> registries.getIfUnique(CircuitBreakerRegistry::ofDefaults));
			return new CircuitBreakerErrors((name) -> registry.get().find(name));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "io.github.resilience4j.ratelimiter.RequestNotPermitted")
	static class RateLimiters {

		@Bean
		RateLimiterErrors grpcResilienceRateLimiterErrors(ObjectProvider<RateLimiterRegistry> registries) {
			Supplier<RateLimiterRegistry> registry = SingletonSupplier
				.of(() -> registries.getIfUnique(RateLimiterRegistry::ofDefaults));
			return new RateLimiterErrors((name) -> registry.get().find(name));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "build.buf.protovalidate.Validator")
	@ConditionalOnProperty(name = "grpc.resilience.errors.validate-requests", matchIfMissing = true)
	static class Protovalidate {

		@Bean
		@ConditionalOnMissingBean(RequestCheck.class)
		ProtovalidateCheck grpcResilienceProtovalidateCheck(ObjectProvider<Validator> validators) {
			return new ProtovalidateCheck(validators.getIfUnique(() -> ValidatorFactory.newBuilder().build()));
		}

	}

}
