package io.github.grpcresilience.gate;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.policy.SettingKey;

/**
 * Gates of one kind, by what one setting names. Safe for concurrent use.
 */
public interface GateSource {

	/**
	 * The setting that names them.
	 * @return one of {@link io.github.grpcresilience.internal.policy.GateSettings#all()}
	 */
	SettingKey<String> key();

	/**
	 * Looks whether there is what a policy names. Creates nothing.
	 * @param name value of the setting
	 * @return what is wrong; {@code null} if nothing is
	 */
	@Nullable Problem check(String name);

	/**
	 * The gate of a method.
	 * @param name value of the setting, in which nothing is wrong
	 * @param client name of the client that makes the calls
	 * @param method full name of the method
	 * @return the gate
	 */
	AttemptGate gate(String name, String client, String method);

	/**
	 * What is wrong with a name. Immutable.
	 *
	 * @param rule the rule that it breaks
	 * @param remedy what to write instead
	 */
	record Problem(String rule, String remedy) {
	}

}
