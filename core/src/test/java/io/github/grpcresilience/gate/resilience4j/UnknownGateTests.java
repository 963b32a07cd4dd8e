package io.github.grpcresilience.gate.resilience4j;

import java.time.Duration;
import java.util.List;

import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.internal.SemaphoreBasedRateLimiter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * Names in policies that resilience4j does not know, or that cannot be used.
 */
class UnknownGateTests {

	private final Engines engines = new Engines();

	static List<SettingKey<String>> keys() {
		return GateSettings.all();
	}

	private static PolicyDefinition naming(SettingKey<String> key, String name) {
		return Policies.client().policy("shop", "test.v1.Shop").with(key, name).end().define();
	}

	private static List<PolicyFault> faults(GrpcResilienceBuilder builder) {
		return catchThrowableOfType(InvalidPolicyException.class, builder::build).faults();
	}

	@ParameterizedTest
	@MethodSource("keys")
	void unknownNameIsFault(SettingKey<String> key) {
		assertThat(faults(this.engines.client(naming(key, "shpo")))).singleElement().satisfies((fault) -> {
			assertThat(fault.property()).isEqualTo("grpc.resilience.client.policies.shop." + key.name());
			assertThat(fault.location()).isEqualTo("test.yml");
			assertThat(fault.value()).isEqualTo("shpo");
			assertThat(fault.rule()).startsWith("is not the name of a ");
			assertThat(fault.remedy()).contains("resilience4j.");
		});
		assertThat(this.engines.breakers.find("shpo")).as("created by the look").isEmpty();
		assertThat(this.engines.bulkheads.find("shpo")).isEmpty();
		assertThat(this.engines.limiters.find("shpo")).isEmpty();
	}

	@Test
	void remedyNamesWhatThereIs() {
		assertThat(faults(this.engines.client(naming(GateSettings.BREAKER_INSTANCE, "shpo")))).singleElement()
			.satisfies((fault) -> assertThat(fault.remedy()).endsWith("there are: shop"));
	}

	@ParameterizedTest
	@MethodSource("keys")
	void nameWithoutRegistryIsFault(SettingKey<String> key) {
		assertThat(faults(GrpcResilience.builder().policies(naming(key, "shop")))).singleElement()
			.satisfies((fault) -> {
				assertThat(fault.rule()).contains("no registry");
				assertThat(fault.remedy()).contains("builder().gates");
			});
	}

	@Test
	void tellsAllMistakesAtOnce() {
		PolicyDefinition policies = Policies.client()
			.section(DeadlineSettings.MAX, Duration.ZERO)
			.policy("shop", "test.v1.Shop")
			.with(GateSettings.BREAKER_INSTANCE, "shpo")
			.with(GateSettings.BULKHEAD, "shpo")
			.end()
			.define();
		assertThat(faults(this.engines.client(policies))).hasSize(3);
	}

	@Test
	void bulkheadThatMakesCallersWaitIsFault() {
		this.engines.bulkheads.bulkhead("patient",
				BulkheadConfig.custom().maxWaitDuration(Duration.ofMillis(7)).build());
		assertThat(faults(this.engines.client(naming(GateSettings.BULKHEAD, "patient")))).singleElement()
			.satisfies((fault) -> assertThat(fault.remedy()).contains("max-wait-duration"));
	}

	@Test
	void limiterThatCanOnlyWaitIsFault() {
		this.engines.limiters.replace(Engines.NAME,
				new SemaphoreBasedRateLimiter(Engines.NAME, RateLimiterConfig.ofDefaults()));
		assertThat(faults(this.engines.client(naming(GateSettings.RATE_LIMITER, Engines.NAME)))).hasSize(1);
	}

}
