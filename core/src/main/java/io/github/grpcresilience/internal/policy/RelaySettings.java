package io.github.grpcresilience.internal.policy;

import java.util.stream.Stream;

/**
 * What callers are told of failures of the calls that are made for them.
 */
public final class RelaySettings extends FeatureSettings {

	/** Whether callers are told that a call was refused for want of rights. */
	public static final SettingKey<Boolean> RELAY_AUTH_ERRORS = SettingKey.toggle("relay-auth-errors");

	RelaySettings() {
	}

	@Override
	Stream<SettingKey<?>> keys(Side side) {
		return (side == Side.CLIENT) ? Stream.of(RELAY_AUTH_ERRORS) : Stream.of();
	}

	@Override
	void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies) {
		if (side == Side.CLIENT) {
			ofPolicies.put(RELAY_AUTH_ERRORS, false);
		}
	}

}
