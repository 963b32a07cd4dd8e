package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * Settings of one method while the levels are laid over one another, lowest first.
 * Confined to one thread.
 */
final class MergedSettings {

	private final Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();

	private final Map<SettingKey<?>, PolicyLevel> levels = new HashMap<>();

	void lay(PolicyLevel level, Map<SettingKey<?>, Setting<?>> values, boolean unary) {
		values.forEach((key, setting) -> {
			if (level.isPolicy() || isFor(key.inSection(), unary)) {
				this.settings.put(key, setting);
				this.levels.put(key, level);
				removeWeakerRival(key, level);
			}
		});
	}

	private static boolean isFor(SectionScope scope, boolean unary) {
		return switch (scope) {
			case ALL -> true;
			case UNARY -> unary;
			case TOTAL -> false;
		};
	}

	/**
	 * Takes from the section what is for all calls together.
	 */
	void layTotal(Map<SettingKey<?>, Setting<?>> section) {
		section.forEach((key, setting) -> {
			if (key.inSection() == SectionScope.TOTAL) {
				this.settings.put(key, setting);
			}
		});
	}

	private void removeWeakerRival(SettingKey<?> key, PolicyLevel level) {
		if (key.hasRival()) {
			removeAll(this.levels.entrySet()
				.stream()
				.filter((other) -> key.rulesOut(other.getKey()) && other.getValue().compareTo(level) < 0)
				.<SettingKey<?>>map(Map.Entry::getKey)
				.toList());
		}
	}

	@Nullable Setting<?> find(SettingKey<?> key) {
		return this.settings.get(key);
	}

	@Nullable PolicyLevel findLevel(SettingKey<?> key) {
		return this.levels.get(key);
	}

	<T> T value(SettingKey<T> key, T absent) {
		Setting<?> setting = this.settings.get(key);
		return (setting != null) ? key.cast(setting) : absent;
	}

	Map<String, Setting<?>> byName(List<SettingKey<?>> keys) {
		Map<String, Setting<?>> byName = new HashMap<>();
		for (SettingKey<?> key : keys) {
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

	/**
	 * Adds what is not there yet.
	 */
	void complete(Map<SettingKey<?>, Setting<?>> builtIn) {
		builtIn.forEach((key, setting) -> {
			if (this.settings.putIfAbsent(key, setting) == null) {
				this.levels.put(key, PolicyLevel.BUILT_IN);
			}
		});
	}

	void removeAll(List<SettingKey<?>> keys) {
		keys.forEach(this.settings::remove);
		keys.forEach(this.levels::remove);
	}

	/**
	 * The strongest level at which any of some settings stands.
	 */
	@Nullable PolicyLevel strongest(List<SettingKey<?>> keys) {
		return keys.stream()
			.filter(this.settings::containsKey)
			.map(this.levels::get)
			.max(Comparator.naturalOrder())
			.orElse(null);
	}

	/**
	 * Only values that are valid by themselves are compared with one another.
	 */
	@Nullable Setting<?> findValid(SettingKey<?> key) {
		Setting<?> setting = find(key);
		return (setting != null && key.check(setting) == null) ? setting : null;
	}

	/**
	 * The first of some settings that was not completed.
	 */
	@Nullable Setting<?> findWritten(List<SettingKey<?>> keys) {
		for (SettingKey<?> key : keys) {
			Setting<?> setting = find(key);
			if (setting != null && !setting.origin().isBuiltIn()) {
				return setting;
			}
		}
		return null;
	}

	long nanos(SettingKey<Duration> key) {
		return this.settings.containsKey(key) ? DeadlinePolicy.nanos(value(key, Duration.ZERO))
				: DeadlinePolicy.UNLIMITED;
	}

}
