package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.util.List;

import build.buf.protovalidate.ValidationResult;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.exceptions.ExecutionException;
import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.error.protovalidate.ProtovalidateCheck;
import io.github.grpcresilience.error.resilience4j.CircuitBreakerErrors;
import io.github.grpcresilience.error.resilience4j.RateLimiterErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class ErrorMappingAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ErrorMappingAutoConfiguration.class));

	@Test
	void everyLibraryThatIsThereIsKnown() {
		this.runner.run((context) -> {
			assertThat(context).hasNotFailed().hasSingleBean(RequestCheck.class);
			assertThat(context.getBeansOfType(BuiltInErrors.class)).hasSize(10);
			List<Class<?>> types = context.getBeanProvider(BuiltInErrors.class)
				.stream()
				.flatMap((errors) -> errors.mappers().stream())
				.<Class<?>>map((mapper) -> mapper.type())
				.toList();
			assertThat(types).doesNotHaveDuplicates();
		});
	}

	@ParameterizedTest
	@CsvSource({ "jakarta.validation, grpcResilienceValidationErrors",
			"org.springframework.web, grpcResilienceSpringWebErrors",
			"org.springframework.security, grpcResilienceSpringSecurityErrors",
			"org.springframework.dao, grpcResilienceSpringDataAccessErrors",
			"org.springframework.orm, grpcResilienceSpringOrmErrors",
			"jakarta.persistence, grpcResiliencePersistenceErrors",
			"io.github.resilience4j.bulkhead, grpcResilienceBulkheadErrors",
			"io.github.resilience4j.circuitbreaker, grpcResilienceCircuitBreakerErrors",
			"io.github.resilience4j.ratelimiter, grpcResilienceRateLimiterErrors",
			"build.buf.protovalidate, grpcResilienceProtovalidateCheck" })
	void librariesThatAreNotThereAreNotNeeded(String missing, String bean) {
		this.runner.run((context) -> assertThat(context).hasBean(bean));
		this.runner.withClassLoader(new FilteredClassLoader(missing))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(bean));
	}

	@Test
	void nothingIsThereWhenDisabled() {
		this.runner.withPropertyValues("grpc.resilience.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(BuiltInErrors.class)
				.doesNotHaveBean(RequestCheck.class));
	}

	@Test
	void requestsAreNotCheckedWhenSwitchedOff() {
		this.runner.withPropertyValues("grpc.resilience.errors.validate-requests=false")
			.run((context) -> assertThat(context).doesNotHaveBean(RequestCheck.class)
				.hasBean("grpcResilienceValidationErrors"));
	}

	@Test
	void usersValidatorIsUsed() {
		this.runner.withBean(Validator.class, Refusing::new)
			.run((context) -> assertThatIllegalStateException()
				.isThrownBy(() -> context.getBean(RequestCheck.class).check(Empty.getDefaultInstance()))
				.withRootCauseInstanceOf(ExecutionException.class));
	}

	@Test
	void usersCheckReplacesOurs() {
		ProtovalidateCheck own = new ProtovalidateCheck(new Refusing());
		this.runner.withBean("own", ProtovalidateCheck.class, () -> own)
			.run((context) -> assertThat(context).getBean(RequestCheck.class).isSameAs(own));
	}

	@Test
	void usersCheckOfAnotherKindReplacesOurs() {
		RequestCheck own = (request) -> null;
		this.runner.withBean("own", RequestCheck.class, () -> own)
			.run((context) -> assertThat(context).hasNotFailed().getBean(RequestCheck.class).isSameAs(own));
	}

	@Test
	void registriesOfTheApplicationTellTheWait() {
		this.runner.withUserConfiguration(Registries.class).run((context) -> {
			CircuitBreaker breaker = context.getBean(CircuitBreakerRegistry.class).circuitBreaker("a");
			breaker.transitionToOpenState();
			assertThat(Answers.sent(Answers.map(context.getBean(CircuitBreakerErrors.class),
					CallNotPermittedException.createCallNotPermittedException(breaker)))
				.retryDelay()).contains(Duration.ofSeconds(17));
			assertThat(Answers
				.sent(Answers.map(context.getBean(RateLimiterErrors.class),
						RequestNotPermitted
							.createRequestNotPermitted(context.getBean(RateLimiterRegistry.class).rateLimiter("b"))))
				.retryDelay()).contains(Duration.ofSeconds(33));
		});
	}

	@Configuration(proxyBeanMethods = false)
	static class Registries {

		@Bean
		CircuitBreakerRegistry breakers() {
			return CircuitBreakerRegistry
				.of(CircuitBreakerConfig.custom().waitDurationInOpenState(Duration.ofSeconds(17)).build());
		}

		@Bean
		RateLimiterRegistry limiters() {
			return RateLimiterRegistry
				.of(RateLimiterConfig.custom().limitRefreshPeriod(Duration.ofSeconds(33)).build());
		}

	}

	private static final class Refusing implements Validator {

		@Override
		public ValidationResult validate(Message message) throws ExecutionException {
			throw new ExecutionException("refused");
		}

	}

}
