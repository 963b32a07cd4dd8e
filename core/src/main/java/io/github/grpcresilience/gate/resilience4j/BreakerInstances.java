package io.github.grpcresilience.gate.resilience4j;

import java.util.function.Supplier;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.gate.GateSource;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.SettingKey;

/**
 * Circuit breakers that methods share.
 */
public final class BreakerInstances implements GateSource {

	private final Supplier<CircuitBreakerRegistry> registry;

	/**
	 * Takes them from a registry.
	 * @param registry the registry, asked for when a method is first called
	 */
	public BreakerInstances(Supplier<CircuitBreakerRegistry> registry) {
		this.registry = registry;
	}

	@Override
	public SettingKey<String> key() {
		return GateSettings.BREAKER_INSTANCE;
	}

	@Override
	public @Nullable Problem check(String name) {
		CircuitBreakerRegistry found = this.registry.get();
		return found.find(name).isPresent() ? null : Names.unknown("circuit breaker", "resilience4j.circuitbreaker",
				found.getAllCircuitBreakers().stream().map(CircuitBreaker::getName));
	}

	@Override
	public AttemptGate gate(String name, String client, String method) {
		return new BreakerGate(this.registry.get().circuitBreaker(name));
	}

}
