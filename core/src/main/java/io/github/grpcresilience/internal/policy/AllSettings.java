package io.github.grpcresilience.internal.policy;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

import io.github.grpcresilience.policy.PolicyFault;

/**
 * The settings of all features.
 */
public final class AllSettings {

	/** In the order in which they are shown. */
	private static final List<FeatureSettings> ALL = List.of(new DeadlineSettings(), new RelaySettings(),
			new AttemptSettings(), new GateSettings(), new CancellationSettings(), new AdmissionSettings(),
			new ConnectionSettings(), new DrainSettings());

	private AllSettings() {
	}

	/**
	 * Every setting of a side that policies may hold.
	 * @param side the side
	 * @return the settings in the order in which they are shown
	 */
	public static List<SettingKey<?>> of(Side side) {
		return ALL.stream().<SettingKey<?>>flatMap((feature) -> feature.keys(side)).toList();
	}

	/**
	 * Every setting that only the section of a side may hold.
	 */
	static List<SettingKey<?>> ofSectionOnly(Side side) {
		return ALL.stream().<SettingKey<?>>flatMap((feature) -> feature.keysOfSectionOnly(side)).toList();
	}

	/**
	 * Values that hold where nobody sets any.
	 */
	static Map<SettingKey<?>, Setting<?>> builtIn(Side side, String prefix) {
		BuiltInValues ofSection = BuiltInValues.forSection(prefix);
		BuiltInValues ofPolicies = ofSection.ofPolicies();
		ALL.forEach((feature) -> feature.addBuiltIn(side, ofSection, ofPolicies));
		return ofSection.map();
	}

	static void check(Side side, MergedSettings merged, Consumer<PolicyFault> faults) {
		ALL.forEach((feature) -> feature.check(side, merged, faults));
	}

}
