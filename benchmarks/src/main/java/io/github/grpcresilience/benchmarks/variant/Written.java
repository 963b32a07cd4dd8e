package io.github.grpcresilience.benchmarks.variant;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
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
public final class Written {

	private Written() {
	}

	/**
	 * One policy for the service of the benchmarks.
	 * @param side the side
	 * @param values its settings
	 * @return the definition
	 */
	public static PolicyDefinition policy(Side side, Map<SettingKey<?>, ?> values) {
		return policies(side, Map.of(Echo.SERVICE, values));
	}

	/**
	 * A policy for each of several services.
	 * @param side the side
	 * @param values settings by the name of the service
	 * @return the definition
	 */
	public static PolicyDefinition policies(Side side, Map<String, Map<SettingKey<?>, ?>> values) {
		List<PolicyLayer> layers = new ArrayList<>();
		values.forEach((service, settings) -> layers
			.add(new PolicyLayer(setting(service.toLowerCase(Locale.ROOT).replace('.', '-')), List.of(setting(service)),
					List.of(), settings(settings))));
		return new PolicyDefinition(side, "benchmark", Map.of(), layers, List.of());
	}

	private static Map<SettingKey<?>, Setting<?>> settings(Map<SettingKey<?>, ?> values) {
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();
		values.forEach((key, value) -> settings.put(key, setting(value)));
		return settings;
	}

	private static <T> Setting<T> setting(T value) {
		return new Setting<>(value, new Origin("benchmark", "benchmark"));
	}

}
