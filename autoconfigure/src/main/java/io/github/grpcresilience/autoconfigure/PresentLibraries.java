package io.github.grpcresilience.autoconfigure;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.util.ClassUtils;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.autoconfigure.error.PersistenceErrors;
import io.github.grpcresilience.autoconfigure.error.SpringDataAccessErrors;
import io.github.grpcresilience.autoconfigure.error.SpringOrmErrors;
import io.github.grpcresilience.autoconfigure.error.SpringSecurityErrors;
import io.github.grpcresilience.autoconfigure.error.SpringValidationErrors;
import io.github.grpcresilience.autoconfigure.error.SpringWebErrors;
import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.resilience4j.BulkheadErrors;
import io.github.grpcresilience.error.resilience4j.CircuitBreakerErrors;
import io.github.grpcresilience.error.resilience4j.RateLimiterErrors;
import io.github.grpcresilience.error.validation.ValidationErrors;
import io.github.grpcresilience.gate.GateSource;
import io.github.grpcresilience.gate.resilience4j.BreakerConfigs;
import io.github.grpcresilience.gate.resilience4j.BreakerInstances;
import io.github.grpcresilience.gate.resilience4j.Bulkheads;
import io.github.grpcresilience.gate.resilience4j.RateLimiters;

/**
 * What is made of the libraries that the application has, when it is first needed. A
 * table and no configuration classes, of which each costs the start a look at its byte
 * code, conditions and a bean that every search by type meets. Safe for concurrent use.
 */
public final class PresentLibraries {

	private static final List<Part<BuiltInErrors>> ERRORS = List.of(
			new Part<>("jakarta.validation.ConstraintViolationException", (beans) -> new ValidationErrors()),
			new Part<>("org.springframework.web.ErrorResponse", (beans) -> new SpringWebErrors()),
			new Part<>("org.springframework.security.core.AuthenticationException",
					(beans) -> new SpringSecurityErrors()),
			new Part<>("org.springframework.dao.DataAccessException", (beans) -> new SpringDataAccessErrors()),
			new Part<>("org.springframework.orm.ObjectRetrievalFailureException", (beans) -> new SpringOrmErrors()),
			new Part<>("jakarta.persistence.PersistenceException", (beans) -> new PersistenceErrors()),
			new Part<>("io.github.resilience4j.bulkhead.BulkheadFullException", (beans) -> new BulkheadErrors()),
			new Part<>("io.github.resilience4j.circuitbreaker.CallNotPermittedException",
					PresentLibraries::circuitBreakerErrors),
			new Part<>("io.github.resilience4j.ratelimiter.RequestNotPermitted", PresentLibraries::rateLimiterErrors),
			new Part<>("org.springframework.validation.BindException", (beans) -> new SpringValidationErrors()));

	private static final List<Part<List<GateSource>>> GATES = List.of(
			new Part<>("io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry",
					(beans) -> sources(beans, CircuitBreakerRegistry.class,
							(found) -> List.of(new BreakerInstances(() -> found), new BreakerConfigs(() -> found)))),
			new Part<>("io.github.resilience4j.bulkhead.BulkheadRegistry",
					(beans) -> sources(beans, BulkheadRegistry.class, (found) -> List.of(new Bulkheads(() -> found)))),
			new Part<>("io.github.resilience4j.ratelimiter.RateLimiterRegistry", (beans) -> sources(beans,
					RateLimiterRegistry.class, (found) -> List.of(new RateLimiters(() -> found)))));

	private final BeanFactory beans;

	private final @Nullable ClassLoader classLoader;

	PresentLibraries(BeanFactory beans, @Nullable ClassLoader classLoader) {
		this.beans = beans;
		this.classLoader = classLoader;
	}

	/**
	 * What exceptions of the libraries mean.
	 */
	List<BuiltInErrors> errors() {
		return present(ERRORS).toList();
	}

	/**
	 * Circuit breakers and limits, from the registries that the application has. None is
	 * created here.
	 */
	public List<GateSource> gates() {
		return present(GATES).flatMap(List::stream).toList();
	}

	private <T> Stream<T> present(List<Part<T>> parts) {
		return parts.stream()
			.filter((part) -> ClassUtils.isPresent(part.type, this.classLoader))
			.map((part) -> part.factory.apply(this.beans));
	}

	/** Asks for the registry when a call is rejected. */
	private static BuiltInErrors circuitBreakerErrors(BeanFactory beans) {
		Supplier<CircuitBreakerRegistry> registry = SingletonSupplier
			.of(() -> beans.getBeanProvider(CircuitBreakerRegistry.class)
				.getIfUnique(CircuitBreakerRegistry::ofDefaults));
		return new CircuitBreakerErrors((name) -> registry.get().find(name));
	}

	private static BuiltInErrors rateLimiterErrors(BeanFactory beans) {
		Supplier<RateLimiterRegistry> registry = SingletonSupplier
			.of(() -> beans.getBeanProvider(RateLimiterRegistry.class).getIfUnique(RateLimiterRegistry::ofDefaults));
		return new RateLimiterErrors((name) -> registry.get().find(name));
	}

	private static <R> List<GateSource> sources(BeanFactory beans, Class<R> registry,
			Function<R, List<GateSource>> sources) {
		return Optional.ofNullable(beans.getBeanProvider(registry).getIfUnique()).map(sources).orElseGet(List::of);
	}

	/**
	 * What is there if a class is.
	 *
	 * @param type the class, by name
	 * @param factory makes it; the first place where the library's classes may be touched
	 */
	private record Part<T>(String type, Function<BeanFactory, T> factory) {
	}

}
