package io.github.grpcresilience.gate.resilience4j;

import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.ratelimiter.internal.SemaphoreBasedRateLimiter;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.gate.GateSource;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.SettingKey;

/**
 * Rate limiters that methods share.
 */
public final class RateLimiters implements GateSource {

	private final Supplier<RateLimiterRegistry> registry;

	/** One for each, as they have a lock. */
	private final ConcurrentMap<String, AttemptGate> gates = new ConcurrentHashMap<>();

	/**
	 * Takes them from a registry.
	 * @param registry the registry, asked for when a method is first called
	 */
	public RateLimiters(Supplier<RateLimiterRegistry> registry) {
		this.registry = registry;
	}

	@Override
	public SettingKey<String> key() {
		return GateSettings.RATE_LIMITER;
	}

	@Override
	public @Nullable Problem check(String name) {
		RateLimiterRegistry found = this.registry.get();
		Optional<RateLimiter> limiter = found.find(name);
		if (limiter.isEmpty()) {
			return Names.unknown("rate limiter", "resilience4j.ratelimiter",
					found.getAllRateLimiters().stream().map(RateLimiter::getName));
		}
		return (limiter.get() instanceof SemaphoreBasedRateLimiter)
				? new Problem("is a rate limiter that can only make callers wait, and gRPC's threads must not",
						"name one that the registry itself has created")
				: null;
	}

	@Override
	public AttemptGate gate(String name, String client, String method) {
		return this.gates.computeIfAbsent(name, (key) -> new RateLimiterGate(this.registry.get().rateLimiter(key)));
	}

}
