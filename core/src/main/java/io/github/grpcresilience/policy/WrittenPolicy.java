package io.github.grpcresilience.policy;

import java.util.ArrayList;
import java.util.List;

import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;

/**
 * Settings for some methods. Confined to one thread.
 *
 * @param <P> type of this
 */
public abstract sealed class WrittenPolicy<P extends WrittenPolicy<P>> extends WrittenSettings<P>
		permits ServerPolicies.Policy, ClientPolicies.Policy {

	private final Setting<String> name;

	private final List<Setting<String>> methods = new ArrayList<>();

	private final List<Setting<String>> clients = new ArrayList<>();

	WrittenPolicy(Side side, String section, String name) {
		super(side, section + ".policies." + name);
		this.name = new Setting<>(name, new Origin(prefix(), line()));
	}

	/**
	 * The methods that the settings are for.
	 * @param methods {@code package.Service/Method} for one method,
	 * {@code package.Service} for a whole service
	 * @return this
	 */
	public P methods(String... methods) {
		writeAll(this.methods, "methods", List.of(methods));
		return self();
	}

	P addClients(String... names) {
		writeAll(this.clients, "clients", List.of(names));
		return self();
	}

	PolicyLayer layer() {
		return new PolicyLayer(this.name, this.methods, this.clients, settings());
	}

}
