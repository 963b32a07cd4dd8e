package io.github.grpcresilience;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import io.github.grpcresilience.internal.gate.PolicyGates;
import io.github.grpcresilience.internal.method.AttemptGates;
import io.github.grpcresilience.internal.method.CalledMethods;
import io.github.grpcresilience.internal.method.ServedMethods;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.Side;

/**
 * Writes definitions as a user would write the YAML.
 */
public final class Policies {

	private final Side side;

	private final String prefix;

	private final Map<SettingKey<?>, Setting<?>> section = new HashMap<>();

	private final List<PolicyLayer> layers = new java.util.ArrayList<>();

	private List<Setting<String>> exempt;

	private Policies(Side side) {
		this.side = side;
		this.prefix = PolicyDefinition.builtIn(side).prefix();
		this.exempt = PolicyDefinition.builtIn(side).exemptServices();
	}

	public static Policies server() {
		return new Policies(Side.SERVER);
	}

	public static Policies client() {
		return new Policies(Side.CLIENT);
	}

	public <T> Policies section(SettingKey<T> key, T value) {
		this.section.put(key, setting(this.prefix + "." + key.name(), value));
		return this;
	}

	public Layer policy(String name, String... methods) {
		return new Layer(name, List.of(methods));
	}

	public Policies exempt(String... services) {
		this.exempt = Stream.of(services).map((service) -> setting(this.prefix + ".exempt-services", service)).toList();
		return this;
	}

	/**
	 * The methods of a client that has these policies.
	 */
	public CalledMethods calledBy(String client) {
		return calledBy(client, new PolicyGates(List.of(), ""));
	}

	/**
	 * The methods of a client that has these policies and gates.
	 */
	public CalledMethods calledBy(String client, AttemptGates gates) {
		return new CalledMethods(PolicyTable.compile(define()).get(0), client, gates, (event) -> {
		}, (known, method) -> {
		});
	}

	/**
	 * The methods of a server that has these policies.
	 */
	public ServedMethods served() {
		return new ServedMethods(PolicyTable.compile(define()).get(0), (event) -> {
		});
	}

	public PolicyDefinition define() {
		return new PolicyDefinition(this.side, this.prefix, this.section, this.layers, this.exempt);
	}

	private static <T> Setting<T> setting(String property, T value) {
		return new Setting<>(value, new Origin(property, "test.yml"));
	}

	public final class Layer {

		private final String name;

		private final List<String> methods;

		private final Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();

		private List<String> clients = List.of();

		private Layer(String name, List<String> methods) {
			this.name = name;
			this.methods = methods;
		}

		public Layer clients(String... names) {
			this.clients = List.of(names);
			return this;
		}

		public <T> Layer with(SettingKey<T> key, T value) {
			this.settings.put(key, setting(property() + "." + key.name(), value));
			return this;
		}

		public Policies end() {
			Policies.this.layers
				.add(new PolicyLayer(setting(property(), this.name), settings(this.methods.stream(), "methods"),
						settings(this.clients.stream(), "clients"), this.settings));
			return Policies.this;
		}

		private List<Setting<String>> settings(Stream<String> values, String name) {
			return values.map((value) -> setting(property() + "." + name, value)).toList();
		}

		private String property() {
			return Policies.this.prefix + ".policies." + this.name;
		}

	}

}
