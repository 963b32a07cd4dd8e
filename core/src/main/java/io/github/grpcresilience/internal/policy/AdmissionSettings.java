package io.github.grpcresilience.internal.policy;

import java.util.List;
import java.util.stream.Stream;

/**
 * How many calls are let in.
 */
public final class AdmissionSettings extends FeatureSettings {

	/** Most calls that run at once. */
	public static final SettingKey<Integer> MAX_CONCURRENT = new SettingKey<>("admission.max-concurrent", Integer.class,
			SectionScope.TOTAL, (value) -> value >= 1, "must be at least 1",
			"write a whole number such as 20, or remove it");

	/** Whether a limit on unary calls that run at once is found by measuring. */
	public static final SettingKey<Boolean> ADAPTIVE = new SettingKey<>("admission.adaptive", Boolean.class,
			SectionScope.TOTAL, (value) -> true, "", "");

	/** Most calls that start within a second. */
	public static final SettingKey<Double> MAX_PER_SECOND = new SettingKey<>("admission.max-per-second", Double.class,
			SectionScope.TOTAL, AdmissionPolicy::isRate, "must be between 0.001 and 1000000",
			"write how many calls may start within a second, such as 50 or 0.5, or remove it");

	private static final List<SettingKey<?>> KEYS = List.of(MAX_CONCURRENT, ADAPTIVE, MAX_PER_SECOND);

	AdmissionSettings() {
	}

	@Override
	Stream<SettingKey<?>> keys(Side side) {
		return (side == Side.SERVER) ? KEYS.stream() : Stream.of();
	}

	@Override
	void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies) {
		// Nothing is limited.
	}

	static AdmissionPolicy policy(MergedSettings merged) {
		return new AdmissionPolicy(merged.value(MAX_CONCURRENT, AdmissionPolicy.UNLIMITED),
				merged.value(ADAPTIVE, false), merged.value(MAX_PER_SECOND, AdmissionPolicy.UNLIMITED_RATE));
	}

}
