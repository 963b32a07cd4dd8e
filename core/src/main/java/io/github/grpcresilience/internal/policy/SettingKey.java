package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.Set;
import java.util.function.Predicate;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.policy.PolicyFault;

/**
 * A setting that a section or a policy may hold; those of a feature stand in its file,
 * such as {@link DeadlineSettings}. Immutable; the constants are all there are.
 *
 * @param <T> type of the values
 */
public final class SettingKey<T> {

	private final String name;

	private final Class<T> type;

	private final SectionScope inSection;

	private final Predicate<T> valid;

	private final String rule;

	private final String remedy;

	/** Name of the setting that this one rules out; the stronger of the two holds. */
	private final @Nullable String rival;

	SettingKey(String name, Class<T> type, SectionScope inSection, Predicate<T> valid, String rule, String remedy) {
		this(name, type, inSection, valid, rule, remedy, null);
	}

	SettingKey(String name, Class<T> type, SectionScope inSection, Predicate<T> valid, String rule, String remedy,
			@Nullable String rival) {
		this.name = name;
		this.type = type;
		this.inSection = inSection;
		this.valid = valid;
		this.rule = rule;
		this.remedy = remedy;
		this.rival = rival;
	}

	/**
	 * Something that is on or off, and that policies alone switch.
	 */
	static SettingKey<Boolean> toggle(String name) {
		return new SettingKey<>(name, Boolean.class, SectionScope.ALL, (value) -> true, "", "");
	}

	/**
	 * Name below a section or a policy.
	 * @return the name, such as {@code deadline.max}
	 */
	public String name() {
		return this.name;
	}

	boolean hasRival() {
		return this.rival != null;
	}

	/**
	 * Whether this setting rules out another one: the stronger of the two holds.
	 */
	boolean rulesOut(SettingKey<?> other) {
		return other.name.equals(this.rival);
	}

	/**
	 * Which calls a value is for that stands in the section.
	 */
	SectionScope inSection() {
		return this.inSection;
	}

	/**
	 * The value of a setting.
	 * @param setting a setting of this key
	 * @return its value
	 */
	public T cast(Setting<?> setting) {
		return this.type.cast(setting.value());
	}

	@Nullable PolicyFault check(Setting<?> setting) {
		if (this.valid.test(cast(setting))) {
			return null;
		}
		// Of several codes the one that is none of a failure is to blame.
		Object blamed = (setting.value() instanceof Set<?> codes && codes.contains(Status.Code.OK))
				? Set.of(Status.Code.OK) : setting.value();
		return PolicyFault.of(new Setting<>(blamed, setting.origin()), this.rule, this.remedy);
	}

	/**
	 * Whether a setting that is a duration is above a bound.
	 * @param setting the setting
	 * @param nanos the bound in nanoseconds
	 * @return {@code true} if it is longer
	 */
	public static boolean isAbove(Setting<?> setting, long nanos) {
		return ((Duration) setting.value()).compareTo(Duration.ofNanos(nanos)) > 0;
	}

	static int compare(Setting<?> one, Setting<?> other) {
		return ((Duration) one.value()).compareTo((Duration) other.value());
	}

	@Override
	public String toString() {
		return this.name;
	}

}
