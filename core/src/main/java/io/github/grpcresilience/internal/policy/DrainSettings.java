package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * How a server goes away; methods have no part in it.
 */
public final class DrainSettings extends FeatureSettings {

	private static final String REMEDY = "write a duration such as 5s or 20s, or 0 for none";

	/** How long calls are served as ever while nobody shall send any more. */
	public static final SettingKey<Duration> PAUSE = upToAnHour("drain.pause");

	/** How long calls in flight may go on. */
	public static final SettingKey<Duration> LIMIT = upToAnHour("drain.limit");

	private static final List<SettingKey<?>> ALL = List.of(PAUSE, LIMIT);

	DrainSettings() {
	}

	private static SettingKey<Duration> upToAnHour(String name) {
		return new SettingKey<>(name, Duration.class, SectionScope.ALL,
				(value) -> !value.isNegative() && value.compareTo(Duration.ofHours(1)) <= 0, "must be 0 to 1h", REMEDY);
	}

	/**
	 * Every setting of how a server goes away.
	 * @return the settings in the order in which they are shown
	 */
	public static List<SettingKey<?>> all() {
		return ALL;
	}

	@Override
	Stream<SettingKey<?>> keys(Side side) {
		return Stream.of();
	}

	@Override
	Stream<SettingKey<?>> keysOfSectionOnly(Side side) {
		return (side == Side.SERVER) ? ALL.stream() : Stream.of();
	}

	@Override
	void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies) {
		if (side == Side.SERVER) {
			ofSection.put(PAUSE, Duration.ZERO).put(LIMIT, Duration.ofSeconds(20));
		}
	}

}
