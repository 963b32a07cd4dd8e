package io.github.grpcresilience.internal.policy;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.policy.PolicyFault;

/**
 * What stands between attempts and the network.
 */
public final class GateSettings extends FeatureSettings {

	/** Circuit breaker that the methods share. */
	public static final SettingKey<String> BREAKER_INSTANCE = name("circuit-breaker.instance",
			"circuit-breaker.config");

	/** Configuration of the circuit breakers that the methods have one each. */
	public static final SettingKey<String> BREAKER_CONFIG = name("circuit-breaker.config", "circuit-breaker.instance");

	/** Rate limiter that the methods share. */
	public static final SettingKey<String> RATE_LIMITER = name("rate-limiter.instance", null);

	/** Bulkhead that the methods share. */
	public static final SettingKey<String> BULKHEAD = name("bulkhead.instance", null);

	private static final List<SettingKey<String>> KEYS = List.of(BREAKER_INSTANCE, BREAKER_CONFIG, RATE_LIMITER,
			BULKHEAD);

	GateSettings() {
	}

	private static SettingKey<String> name(String name, @Nullable String rival) {
		return new SettingKey<>(name, String.class, SectionScope.ALL, (value) -> !value.isBlank(), "must not be empty",
				"write the name that it has below resilience4j, or remove the property", rival);
	}

	/**
	 * What may stand between the attempts of a method and the network.
	 * @return the settings that name it
	 */
	public static List<SettingKey<String>> all() {
		return KEYS;
	}

	@Override
	Stream<SettingKey<?>> keys(Side side) {
		return (side == Side.CLIENT) ? KEYS.stream().<SettingKey<?>>map((key) -> key) : Stream.of();
	}

	@Override
	void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies) {
		// There are none.
	}

	@Override
	void check(Side side, MergedSettings merged, Consumer<PolicyFault> faults) {
		Setting<?> instance = merged.findValid(BREAKER_INSTANCE);
		Setting<?> config = merged.findValid(BREAKER_CONFIG);
		if (instance != null && config != null) {
			faults.accept(PolicyFault.of(config,
					"stands beside " + instance.origin().property() + " = " + instance.value() + " ("
							+ instance.origin().location() + "), and a call has one circuit breaker",
					"keep the instance that all methods share, or the configuration of one breaker a method"));
		}
	}

}
