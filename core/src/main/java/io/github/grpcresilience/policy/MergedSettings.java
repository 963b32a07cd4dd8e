package io.github.grpcresilience.policy;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * Settings of one method while the levels are laid over one another, lowest first.
 * Confined to one thread.
 */
final class MergedSettings {

	private final Side side;

	private final Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();

	private final Map<SettingKey<?>, PolicyLevel> levels = new HashMap<>();

	MergedSettings(Side side) {
		this.side = side;
	}

	void lay(PolicyLevel level, Map<SettingKey<?>, Setting<?>> values, boolean unary) {
		values.forEach((key, setting) -> {
			if (unary || level.isPolicy() || !key.unaryOnlyInSection()) {
				this.settings.put(key, setting);
				this.levels.put(key, level);
				removeWeaker(key.rival(), level);
			}
		});
	}

	private void removeWeaker(@Nullable SettingKey<?> rival, PolicyLevel level) {
		PolicyLevel weaker = (rival != null) ? this.levels.get(rival) : null;
		if (weaker != null && weaker.compareTo(level) < 0) {
			this.settings.remove(rival);
			this.levels.remove(rival);
		}
	}

	@Nullable Setting<?> find(SettingKey<?> key) {
		return this.settings.get(key);
	}

	@Nullable PolicyLevel findLevel(SettingKey<?> key) {
		return this.levels.get(key);
	}

	private <T> T value(SettingKey<T> key, T absent) {
		Setting<?> setting = this.settings.get(key);
		return (setting != null) ? key.cast(setting) : absent;
	}

	Map<String, Setting<?>> byName() {
		Map<String, Setting<?>> byName = new HashMap<>();
		for (SettingKey<?> key : SettingKey.all(this.side)) {
			Setting<?> setting = this.settings.get(key);
			if (setting != null) {
				byName.put(key.name(), setting);
			}
		}
		return byName;
	}

	boolean isOn(SettingKey<Boolean> key) {
		return value(key, false);
	}

	DeadlinePolicy toDeadlinePolicy() {
		long max = nanos(SettingKey.MAX);
		boolean hasDefault = this.settings.containsKey(SettingKey.DEFAULT);
		MissingDeadline missing = value(SettingKey.MISSING, MissingDeadline.DEFAULT);
		if (missing == MissingDeadline.DEFAULT && !hasDefault) {
			missing = MissingDeadline.ALLOW;
		}
		return new DeadlinePolicy(missing, Math.min(max, nanos(SettingKey.DEFAULT)), max, toAllowance());
	}

	private Allowance toAllowance() {
		SettingKey.AllowanceKeys keys = SettingKey.allowance(this.side);
		return new Allowance(value(keys.fraction(), 0.0), saturatedNanos(value(keys.min(), Duration.ZERO)),
				saturatedNanos(value(keys.max(), Duration.ZERO)), BuiltIn.ceiling(this.side));
	}

	private long nanos(SettingKey<Duration> key) {
		return this.settings.containsKey(key) ? saturatedNanos(value(key, Duration.ZERO)) : DeadlinePolicy.UNLIMITED;
	}

	private static long saturatedNanos(Duration duration) {
		return (duration.toSeconds() < Long.MAX_VALUE / 1_000_000_000L) ? duration.toNanos() : Long.MAX_VALUE;
	}

}
