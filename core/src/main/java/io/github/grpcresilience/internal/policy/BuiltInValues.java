package io.github.grpcresilience.internal.policy;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Values that hold where nobody sets any, with the properties that would change them.
 * Confined to one thread.
 */
final class BuiltInValues {

	private final String prefix;

	private final Map<SettingKey<?>, Setting<?>> map;

	private BuiltInValues(String prefix, Map<SettingKey<?>, Setting<?>> map) {
		this.prefix = prefix;
		this.map = map;
	}

	/**
	 * None yet, for a section.
	 */
	static BuiltInValues forSection(String prefix) {
		return new BuiltInValues(prefix, new LinkedHashMap<>());
	}

	/**
	 * The same values, for settings that only policies hold.
	 */
	BuiltInValues ofPolicies() {
		return new BuiltInValues(ofPolicy(this.prefix), this.map);
	}

	/**
	 * None yet, for what policies may leave out.
	 */
	static BuiltInValues forPolicy(String prefix) {
		return new BuiltInValues(ofPolicy(prefix), new LinkedHashMap<>());
	}

	/** There is no such property of the section: only policies ask for it. */
	private static String ofPolicy(String prefix) {
		return prefix + ".policies.<name>";
	}

	<T> BuiltInValues put(SettingKey<T> key, T value) {
		this.map.put(key, new Setting<>(value, Origin.builtIn(this.prefix + "." + key.name())));
		return this;
	}

	Map<SettingKey<?>, Setting<?>> map() {
		return this.map;
	}

}
