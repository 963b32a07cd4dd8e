package io.github.grpcresilience.internal.policy;

import java.util.List;
import java.util.Map;

/**
 * What was configured for one side, before it is checked and merged. Immutable.
 *
 * @param side the side
 * @param prefix start of the names of the properties, such as
 * {@code grpc.resilience.server}
 * @param section settings of the section, which apply where no policy says otherwise;
 * absent ones are built-in
 * @param policies the policies
 * @param exemptServices services whose calls pass untouched
 */
public record PolicyDefinition(Side side, String prefix, Map<SettingKey<?>, Setting<?>> section,
		List<PolicyLayer> policies, List<Setting<String>> exemptServices) {

	private static final List<String> EXEMPT = List.of("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
			"grpc.reflection.v1alpha.ServerReflection", "grpc.channelz.v1.Channelz");

	/**
	 * Copies the collections.
	 */
	public PolicyDefinition {
		section = Map.copyOf(section);
		policies = List.copyOf(policies);
		exemptServices = List.copyOf(exemptServices);
	}

	/**
	 * Nothing configured: the built-in settings.
	 * @param side the side
	 * @return the definition
	 */
	public static PolicyDefinition builtIn(Side side) {
		String prefix = (side == Side.SERVER) ? "grpc.resilience.server" : "grpc.resilience.client";
		return new PolicyDefinition(side, prefix, Map.of(), List.of(),
				(side == Side.SERVER) ? exempt(prefix) : List.of());
	}

	private static List<Setting<String>> exempt(String prefix) {
		Origin origin = Origin.builtIn(prefix + ".exempt-services");
		return EXEMPT.stream().map((service) -> new Setting<>(service, origin)).toList();
	}

}
