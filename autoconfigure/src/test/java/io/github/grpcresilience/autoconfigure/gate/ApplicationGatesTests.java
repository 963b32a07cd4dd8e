package io.github.grpcresilience.autoconfigure.gate;

import java.util.List;

import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.springboot3.bulkhead.autoconfigure.BulkheadAutoConfiguration;
import io.github.resilience4j.springboot3.circuitbreaker.autoconfigure.CircuitBreakerAutoConfiguration;
import io.github.resilience4j.springboot3.ratelimiter.autoconfigure.RateLimiterAutoConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.properties.InvalidPolicyFailureAnalyzer;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Names of resilience4j's instances in policies, as they are looked up at start.
 */
class ApplicationGatesTests {

	private static final String POLICY = "grpc.resilience.client.policies.stock.";

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(GrpcResilienceAutoConfiguration.class))
		.withPropertyValues(POLICY + "methods=shop.v1.Inventory");

	private final ApplicationContextRunner engines = this.runner
		.withConfiguration(AutoConfigurations.of(CircuitBreakerAutoConfiguration.class, BulkheadAutoConfiguration.class,
				RateLimiterAutoConfiguration.class))
		.withPropertyValues("resilience4j.circuitbreaker.instances.inventory.sliding-window-size=7",
				"resilience4j.circuitbreaker.configs.careful.sliding-window-size=8",
				"resilience4j.bulkhead.instances.inventory.max-concurrent-calls=7",
				"resilience4j.ratelimiter.instances.inventory.limit-for-period=7");

	private static List<PolicyFault> faults(Throwable failure) {
		Throwable root = NestedExceptionUtils.getMostSpecificCause(failure);
		assertThat(root).isInstanceOf(InvalidPolicyException.class);
		return ((InvalidPolicyException) root).faults();
	}

	@Test
	void namesOfInstancesAndConfigurationsAreFound() {
		this.engines
			.withPropertyValues(POLICY + "circuit-breaker.instance=inventory",
					POLICY + "rate-limiter.instance=inventory", POLICY + "bulkhead.instance=inventory",
					"grpc.resilience.client.policies.get.methods=shop.v1.Inventory/Get",
					"grpc.resilience.client.policies.get.circuit-breaker.config=careful")
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(GrpcResilience.class));
	}

	@ParameterizedTest
	@ValueSource(strings = { "circuit-breaker.instance", "circuit-breaker.config", "rate-limiter.instance",
			"bulkhead.instance" })
	void unknownNameFailsTheStart(String setting) {
		this.engines.withPropertyValues(POLICY + setting + "=inventroy")
			.run((context) -> assertThat(faults(context.getStartupFailure())).singleElement().satisfies((fault) -> {
				assertThat(fault.property()).isEqualTo(POLICY + setting);
				assertThat(fault.value()).isEqualTo("inventroy");
				assertThat(fault.location()).contains("test");
				assertThat(fault.remedy()).contains("below resilience4j.");
			}));
	}

	@Test
	void unknownNamesStandBesideAllOtherFaults() {
		this.engines
			.withPropertyValues(POLICY + "circuit-breaker.instance=inventroy", POLICY + "deadline.max=-7s",
					"grpc.resilience.client.deadlin.max=1s")
			.run((context) -> assertThat(faults(context.getStartupFailure())).hasSize(3));
	}

	@Test
	void failureAnalysisNamesWhatIsUnknown() {
		this.engines.withPropertyValues(POLICY + "circuit-breaker.instance=inventroy").run((context) -> {
			FailureAnalysis analysis = new InvalidPolicyFailureAnalyzer().analyze(context.getStartupFailure());
			assertThat(analysis).isNotNull();
			assertThat(analysis.getDescription()).contains("One setting of gRPC Resilience is invalid:",
					"Property: " + POLICY + "circuit-breaker.instance", "Value: \"inventroy\"",
					"Reason: is not the name of a circuit breaker of resilience4j",
					"Remedy: define it below resilience4j.circuitbreaker.instances, or correct the name; there are: inventory");
		});
	}

	@Test
	void bothKindsOfBreakerFailTheStart() {
		this.engines
			.withPropertyValues(POLICY + "circuit-breaker.instance=inventory",
					POLICY + "circuit-breaker.config=careful")
			.run((context) -> assertThat(faults(context.getStartupFailure())).hasSize(1));
	}

	@Test
	void instanceThatTheApplicationCreatesIsFound() {
		this.engines.withUserConfiguration(Programmatic.class)
			.withPropertyValues(POLICY + "circuit-breaker.instance=programmatic")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@ParameterizedTest
	@ValueSource(strings = { "circuit-breaker.instance", "circuit-breaker.config", "rate-limiter.instance",
			"bulkhead.instance" })
	void missingRegistryFailsTheStart(String setting) {
		this.runner.withPropertyValues(POLICY + setting + "=inventory")
			.run((context) -> assertThat(faults(context.getStartupFailure())).singleElement()
				.satisfies((fault) -> assertThat(fault.remedy()).contains("resilience4j-spring-boot3")));
	}

	@ParameterizedTest
	@ValueSource(strings = { "circuit-breaker.instance", "rate-limiter.instance", "bulkhead.instance" })
	void missingEngineFailsTheStart(String setting) {
		this.runner
			.withClassLoader(new FilteredClassLoader(CircuitBreakerRegistry.class, RateLimiterRegistry.class,
					BulkheadRegistry.class))
			.withPropertyValues(POLICY + setting + "=inventory")
			.run((context) -> assertThat(faults(context.getStartupFailure())).hasSize(1));
	}

	@Test
	void engineIsNotNeededWithoutPolicy() {
		this.runner.withClassLoader(new FilteredClassLoader("io.github.resilience4j"))
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void nothingIsCreatedByTheLook() {
		this.engines.withPropertyValues(POLICY + "circuit-breaker.config=careful")
			.run((context) -> assertThat(breakers(context)).containsExactly("inventory"));
	}

	private static List<String> breakers(ApplicationContext context) {
		return context.getBean(CircuitBreakerRegistry.class)
			.getAllCircuitBreakers()
			.stream()
			.map(CircuitBreaker::getName)
			.toList();
	}

	@Configuration(proxyBeanMethods = false)
	static class Programmatic {

		@Bean
		CircuitBreaker programmatic(CircuitBreakerRegistry registry) {
			return registry.circuitBreaker("programmatic");
		}

	}

}
