package io.github.grpcresilience.gate.resilience4j;

import java.util.Optional;
import java.util.function.Supplier;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.gate.GateSource;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.SettingKey;

/**
 * Bulkheads that methods share.
 */
public final class Bulkheads implements GateSource {

	private static final String PREFIX = "resilience4j.bulkhead";

	private final Supplier<BulkheadRegistry> registry;

	/**
	 * Takes them from a registry.
	 * @param registry the registry, asked for when a method is first called
	 */
	public Bulkheads(Supplier<BulkheadRegistry> registry) {
		this.registry = registry;
	}

	@Override
	public SettingKey<String> key() {
		return GateSettings.BULKHEAD;
	}

	@Override
	public @Nullable Problem check(String name) {
		BulkheadRegistry found = this.registry.get();
		Optional<Bulkhead> bulkhead = found.find(name);
		if (bulkhead.isEmpty()) {
			return Names.unknown("bulkhead", PREFIX, found.getAllBulkheads().stream().map(Bulkhead::getName));
		}
		return bulkhead.get().getBulkheadConfig().getMaxWaitDuration().isZero() ? null
				: new Problem("is a bulkhead that makes callers wait, and gRPC's threads must not",
						"remove max-wait-duration below " + PREFIX + ".instances, or name another bulkhead");
	}

	@Override
	public AttemptGate gate(String name, String client, String method) {
		return new BulkheadGate(this.registry.get().bulkhead(name));
	}

}
