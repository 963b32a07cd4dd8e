package io.github.grpcresilience.gate.resilience4j;

import java.util.function.Supplier;

import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.gate.GateSource;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.SettingKey;

/**
 * Circuit breakers that methods have one each, named
 * {@code grpc.<client>.<package.Service>.<Method>}.
 */
public final class BreakerConfigs implements GateSource {

	private final Supplier<CircuitBreakerRegistry> registry;

	/**
	 * Takes them from a registry, which creates them.
	 * @param registry the registry, asked for when a method is first called
	 */
	public BreakerConfigs(Supplier<CircuitBreakerRegistry> registry) {
		this.registry = registry;
	}

	@Override
	public SettingKey<String> key() {
		return GateSettings.BREAKER_CONFIG;
	}

	@Override
	public @Nullable Problem check(String name) {
		return this.registry.get().getConfiguration(name).isPresent() ? null
				: new Problem("is not the name of a shared configuration of circuit breakers",
						"define it below resilience4j.circuitbreaker.configs, or correct the name");
	}

	@Override
	public AttemptGate gate(String name, String client, String method) {
		return new BreakerGate(this.registry.get().circuitBreaker(nameOf(client, method), name));
	}

	/**
	 * Without slashes: they break the paths of actuator endpoints.
	 */
	private static String nameOf(String client, String method) {
		return ("grpc." + client + "." + method).replace('/', '.');
	}

}
