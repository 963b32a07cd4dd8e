package io.github.grpcresilience.internal.policy;

import java.util.Map;

/**
 * How the connections of one client are kept, where it differs from the section.
 * Immutable.
 *
 * @param client name of the client
 * @param settings what differs
 */
public record ConnectionLayer(Setting<String> client, Map<SettingKey<?>, Setting<?>> settings) {

	/**
	 * Copies the settings.
	 */
	public ConnectionLayer {
		settings = Map.copyOf(settings);
	}

}
