package io.github.grpcresilience.autoconfigure.stack;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.Environment;

/**
 * Properties of a stack that stand for settings of ours, and win where somebody has set
 * them. Immutable.
 */
public final class StackProperties {

	/** Nothing of the stack stands for anything of ours. */
	public static final StackProperties NONE = new StackProperties(Map.of());

	private final Map<String, List<String>> bySetting;

	/**
	 * Takes what stands for what.
	 * @param bySetting properties by the names of our settings, the strongest first
	 */
	public StackProperties(Map<String, List<String>> bySetting) {
		this.bySetting = bySetting;
	}

	/**
	 * Whether a setting is left to the stack.
	 * @param environment where its properties may be set
	 * @return true for the name of such a setting
	 */
	public Predicate<String> setIn(Environment environment) {
		return (setting) -> find(setting, environment) != null;
	}

	/**
	 * The property that wins over a setting of ours.
	 * @param setting name of the setting, such as {@code connection.max-age}
	 * @param environment where it may be set
	 * @return the property; {@code null} if nobody has set it
	 */
	public @Nullable ConfigurationProperty find(String setting, Environment environment) {
		for (String property : this.bySetting.getOrDefault(setting, List.of())) {
			ConfigurationPropertyName name = ConfigurationPropertyName.adapt(property, '.');
			for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
				ConfigurationProperty found = source.getConfigurationProperty(name);
				if (found != null) {
					return found;
				}
			}
		}
		return null;
	}

}
