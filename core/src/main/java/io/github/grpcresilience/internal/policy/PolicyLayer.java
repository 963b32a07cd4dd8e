package io.github.grpcresilience.internal.policy;

import java.util.List;
import java.util.Map;

/**
 * Settings under one name, for some methods and, on the client, perhaps only for some
 * clients. A setting that is absent is inherited. Immutable.
 *
 * @param name name of the policy with its origin
 * @param methods {@code package.Service/Method} for one method, {@code package.Service}
 * for a whole service
 * @param clients names of the clients that the policy is for; empty for all. Always empty
 * on the server
 * @param settings the settings that the policy holds
 */
public record PolicyLayer(Setting<String> name, List<Setting<String>> methods, List<Setting<String>> clients,
		Map<SettingKey<?>, Setting<?>> settings) {

	/**
	 * Copies the collections.
	 */
	public PolicyLayer {
		methods = List.copyOf(methods);
		clients = List.copyOf(clients);
		settings = Map.copyOf(settings);
	}

	boolean isForAllClients() {
		return this.clients.isEmpty();
	}

	boolean isFor(String client) {
		return this.clients.stream().anyMatch((name) -> name.value().equals(client));
	}

	/**
	 * Whether both layers stand at the same level for some call to the same target.
	 */
	boolean competesWith(PolicyLayer other) {
		if (isForAllClients() || other.isForAllClients()) {
			return isForAllClients() && other.isForAllClients();
		}
		return this.clients.stream().anyMatch((client) -> other.isFor(client.value()));
	}

}
