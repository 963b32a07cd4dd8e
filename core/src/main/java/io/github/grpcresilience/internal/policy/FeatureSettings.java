package io.github.grpcresilience.internal.policy;

import java.util.function.Consumer;
import java.util.stream.Stream;

import io.github.grpcresilience.policy.PolicyFault;

/**
 * The settings of one feature: its keys, its built-in values, what of them cannot stand
 * together, and the part of a policy that is made of them. Immutable.
 */
abstract class FeatureSettings {

	/**
	 * What policies may hold, in the order in which it is shown.
	 */
	abstract Stream<SettingKey<?>> keys(Side side);

	/**
	 * What only the section may hold.
	 */
	Stream<SettingKey<?>> keysOfSectionOnly(Side side) {
		return Stream.of();
	}

	/**
	 * Adds the values that hold where nobody sets any.
	 * @param ofSection for settings that the section may hold
	 * @param ofPolicies for settings that only policies hold
	 */
	abstract void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies);

	/**
	 * Finds what cannot stand together. Values that are not valid by themselves are told
	 * elsewhere.
	 */
	void check(Side side, MergedSettings merged, Consumer<PolicyFault> faults) {
		// Nothing is wrong with most.
	}

	/**
	 * The fault of two durations that stand the wrong way round.
	 */
	static void checkOrder(SettingKey<?> least, SettingKey<?> most, String remedy, MergedSettings merged,
			Consumer<PolicyFault> faults) {
		Setting<?> min = merged.findValid(least);
		Setting<?> max = merged.findValid(most);
		if (min != null && max != null && SettingKey.compare(min, max) > 0) {
			faults.accept(PolicyFault.of(min.origin().isBuiltIn() ? max : min,
					least.name() + " " + SettingText.of(min.value()) + " (" + min.origin().location() + ") is above "
							+ most.name() + " " + SettingText.of(max.value()) + " (" + max.origin().location() + ")",
					remedy));
		}
	}

}
