package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.util.List;

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
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.test.context.FilteredClassLoader;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.resilience4j.CircuitBreakerErrors;
import io.github.grpcresilience.error.resilience4j.RateLimiterErrors;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What is known of libraries that are there, and of those that are not.
 */
class PresentLibrariesTests {

	private final DefaultListableBeanFactory beans = new DefaultListableBeanFactory();

	private PresentLibraries libraries(String... missing) {
		return new PresentLibraries(this.beans, new FilteredClassLoader(missing));
	}

	private static List<String> names(List<?> parts) {
		return parts.stream().map((part) -> part.getClass().getSimpleName()).toList();
	}

	@Test
	void exceptionsOfEveryLibraryThatIsThereAreKnownOnce() {
		List<BuiltInErrors> errors = libraries().errors();
		assertThat(errors).hasSize(10);
		assertThat(errors.stream().flatMap((one) -> one.mappers().stream()).map((mapper) -> mapper.type()).toList())
			.doesNotHaveDuplicates();
	}

	@ParameterizedTest
	@CsvSource({ "jakarta.validation, ValidationErrors", "org.springframework.web, SpringWebErrors",
			"org.springframework.security, SpringSecurityErrors", "org.springframework.dao, SpringDataAccessErrors",
			"org.springframework.orm, SpringOrmErrors", "jakarta.persistence, PersistenceErrors",
			"io.github.resilience4j.bulkhead, BulkheadErrors",
			"io.github.resilience4j.circuitbreaker, CircuitBreakerErrors",
			"io.github.resilience4j.ratelimiter, RateLimiterErrors" })
	void librariesThatAreNotThereAreNotNeeded(String missing, String errors) {
		assertThat(names(libraries().errors())).contains(errors);
		assertThat(names(libraries(missing).errors())).doesNotContain(errors).hasSize(9);
	}

	@Test
	void registriesOfTheApplicationTellTheWait() {
		CircuitBreakerRegistry breakers = CircuitBreakerRegistry
			.of(CircuitBreakerConfig.custom().waitDurationInOpenState(Duration.ofSeconds(17)).build());
		RateLimiterRegistry limiters = RateLimiterRegistry
			.of(RateLimiterConfig.custom().limitRefreshPeriod(Duration.ofSeconds(33)).build());
		this.beans.registerSingleton("breakers", breakers);
		this.beans.registerSingleton("limiters", limiters);
		CircuitBreaker breaker = breakers.circuitBreaker("a");
		breaker.transitionToOpenState();
		assertThat(Answers.sent(Answers.map(errors(CircuitBreakerErrors.class),
				CallNotPermittedException.createCallNotPermittedException(breaker)))
			.retryDelay()).contains(Duration.ofSeconds(17));
		assertThat(Answers.sent(Answers.map(errors(RateLimiterErrors.class),
				RequestNotPermitted.createRequestNotPermitted(limiters.rateLimiter("b"))))
			.retryDelay()).contains(Duration.ofSeconds(33));
	}

	private BuiltInErrors errors(Class<? extends BuiltInErrors> type) {
		return libraries().errors().stream().filter(type::isInstance).findFirst().orElseThrow();
	}

	@Test
	void gatesComeFromRegistriesThatAreThere() {
		assertThat(libraries().gates()).isEmpty();
		this.beans.registerSingleton("breakers", CircuitBreakerRegistry.ofDefaults());
		this.beans.registerSingleton("limiters", RateLimiterRegistry.ofDefaults());
		assertThat(names(libraries().gates())).containsExactly("BreakerInstances", "BreakerConfigs", "RateLimiters");
		assertThat(names(libraries("io.github.resilience4j.ratelimiter").gates())).containsExactly("BreakerInstances",
				"BreakerConfigs");
	}

	@Test
	void noneOfTwoRegistriesIsChosen() {
		this.beans.registerSingleton("one", RateLimiterRegistry.ofDefaults());
		this.beans.registerSingleton("two", RateLimiterRegistry.ofDefaults());
		assertThat(libraries().gates()).isEmpty();
	}

}
