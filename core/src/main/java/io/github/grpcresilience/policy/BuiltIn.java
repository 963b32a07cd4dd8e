package io.github.grpcresilience.policy;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.grpc.Status;

/**
 * Values that hold where nobody sets any.
 */
final class BuiltIn {

	private static final List<String> EXEMPT = List.of("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
			"grpc.reflection.v1alpha.ServerReflection", "grpc.channelz.v1.Channelz");

	private BuiltIn() {
	}

	static Map<SettingKey<?>, Setting<?>> settings(Side side, String prefix) {
		Values values = new Values(prefix, new LinkedHashMap<>());
		values.put(SettingKey.MISSING, MissingDeadline.DEFAULT);
		values.put(SettingKey.DEFAULT, Duration.ofSeconds((side == Side.SERVER) ? 5 : 2));
		values.put(SettingKey.MAX, Duration.ofHours(24));
		SettingKey.AllowanceKeys allowance = SettingKey.allowance(side);
		values.put(allowance.fraction(), (side == Side.SERVER) ? 0.02 : 0.05);
		values.put(allowance.min(), Duration.ofMillis((side == Side.SERVER) ? 5 : 10));
		values.put(allowance.max(), Duration.ofMillis((side == Side.SERVER) ? 25 : 100));
		// There is no such property of the section: only policies ask for it.
		Values ofPolicies = new Values(prefix + ".policies.<name>", values.map);
		SettingKey.switchesOf(side).forEach((key) -> ofPolicies.put(key, false));
		if (side == Side.SERVER) {
			ofPolicies.put(SettingKey.COMMIT_AFTER_END, CommitAfterEnd.ALLOW);
		}
		if (side == Side.CLIENT) {
			values.put(AttemptKeys.BUDGET_RATIO, 0.1);
			values.put(AttemptKeys.BUDGET_MIN_PER_SECOND, 1.0);
			values.put(AttemptKeys.BUDGET_WINDOW, Duration.ofSeconds(10));
		}
		return values.map;
	}

	/**
	 * What a policy that asks for retries need not say.
	 */
	static Map<SettingKey<?>, Setting<?>> retry(String prefix) {
		Values values = new Values(prefix + ".policies.<name>", new LinkedHashMap<>());
		values.put(AttemptKeys.RETRY_MAX_ATTEMPTS, 3);
		values.put(AttemptKeys.RETRYABLE_STATUS_CODES, Set.of(Status.Code.UNAVAILABLE));
		values.put(AttemptKeys.INITIAL_BACKOFF, Duration.ofMillis(50));
		values.put(AttemptKeys.MAX_BACKOFF, Duration.ofSeconds(1));
		values.put(AttemptKeys.BACKOFF_MULTIPLIER, 2.0);
		values.put(AttemptKeys.JITTER, 0.2);
		return values.map;
	}

	/**
	 * What a policy that asks for hedges need not say.
	 */
	static Map<SettingKey<?>, Setting<?>> hedge(String prefix) {
		Values values = new Values(prefix + ".policies.<name>", new LinkedHashMap<>());
		values.put(AttemptKeys.HEDGE_MAX_ATTEMPTS, 2);
		values.put(AttemptKeys.HEDGE_DELAY, HedgeDelay.percentile(95));
		values.put(AttemptKeys.NON_FATAL_STATUS_CODES, Set.of(Status.Code.UNAVAILABLE));
		return values.map;
	}

	/**
	 * Share of a budget that an allowance never exceeds: the answer margin a tenth, the
	 * reserve half.
	 */
	static double ceiling(Side side) {
		return (side == Side.SERVER) ? 0.1 : 0.5;
	}

	static List<Setting<String>> exemptServices(String prefix) {
		Origin origin = Origin.builtIn(prefix + ".exempt-services");
		return EXEMPT.stream().map((service) -> new Setting<>(service, origin)).toList();
	}

	private static final class Values {

		private final String prefix;

		private final Map<SettingKey<?>, Setting<?>> map;

		Values(String prefix, Map<SettingKey<?>, Setting<?>> map) {
			this.prefix = prefix;
			this.map = map;
		}

		<T> void put(SettingKey<T> key, T value) {
			this.map.put(key, new Setting<>(value, Origin.builtIn(this.prefix + "." + key.name())));
		}

	}

}
