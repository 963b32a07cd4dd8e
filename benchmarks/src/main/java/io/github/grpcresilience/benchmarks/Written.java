package io.github.grpcresilience.benchmarks;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.github.grpcresilience.policy.Origin;
import io.github.grpcresilience.policy.PolicyDefinition;
import io.github.grpcresilience.policy.PolicyLayer;
import io.github.grpcresilience.policy.Setting;
import io.github.grpcresilience.policy.SettingKey;
import io.github.grpcresilience.policy.Side;

/**
 * Policies as a user would write them.
 */
final class Written {

	private Written() {
	}

	/**
	 * One policy for the service of the benchmarks.
	 */
	static PolicyDefinition policy(Side side, Map<SettingKey<?>, ?> values) {
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();
		values.forEach((key, value) -> settings.put(key, setting(value)));
		return new PolicyDefinition(side, "benchmark", Map.of(),
				List.of(new PolicyLayer(setting("benchmark"), List.of(setting(Echo.SERVICE)), List.of(), settings)),
				List.of());
	}

	private static <T> Setting<T> setting(T value) {
		return new Setting<>(value, new Origin("benchmark", "benchmark"));
	}

}
