package io.github.grpcresilience.policy;

import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingText;

/**
 * One mistake in the configuration. Immutable.
 *
 * @param property full name of the property
 * @param location file, line and column of the value
 * @param value the value as written
 * @param rule the rule that the value breaks
 * @param remedy what to write instead
 */
public record PolicyFault(String property, String location, String value, String rule, String remedy) {

	/**
	 * A mistake in a setting.
	 * @param setting the setting
	 * @param rule the rule that its value breaks
	 * @param remedy what to write instead
	 * @return the mistake
	 */
	public static PolicyFault of(Setting<?> setting, String rule, String remedy) {
		return new PolicyFault(setting.origin().property(), setting.origin().location(),
				SettingText.of(setting.value()), rule, remedy);
	}

}
