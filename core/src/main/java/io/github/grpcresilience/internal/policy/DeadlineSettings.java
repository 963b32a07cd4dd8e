package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;

import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * The settings of deadlines.
 */
public final class DeadlineSettings extends FeatureSettings {

	private static final String DURATION_REMEDY = "write a duration such as 250ms, 2s or 1m";

	/** What happens to a call without a deadline. */
	public static final SettingKey<MissingDeadline> MISSING = new SettingKey<>("deadline.missing",
			MissingDeadline.class, SectionScope.UNARY, (value) -> true, "", "");

	/** Budget of a call without a deadline. */
	public static final SettingKey<Duration> DEFAULT = duration("deadline.default");

	/** Longest budget of a call. */
	public static final SettingKey<Duration> MAX = duration("deadline.max");

	private static final AllowanceKeys RESERVE = new AllowanceKeys("deadline.reserve");

	private static final AllowanceKeys ANSWER_MARGIN = new AllowanceKeys("deadline.answer-margin");

	DeadlineSettings() {
	}

	private static SettingKey<Duration> duration(String name) {
		return new SettingKey<>(name, Duration.class, SectionScope.UNARY, (value) -> value.compareTo(Duration.ZERO) > 0,
				"must be positive", DURATION_REMEDY);
	}

	/**
	 * The settings of an allowance: the client's reserve, the server's answer margin.
	 * @param side the side
	 * @return its allowance
	 */
	public static AllowanceKeys allowance(Side side) {
		return (side == Side.CLIENT) ? RESERVE : ANSWER_MARGIN;
	}

	@Override
	Stream<SettingKey<?>> keys(Side side) {
		AllowanceKeys allowance = allowance(side);
		return Stream.of(MISSING, DEFAULT, MAX, allowance.fraction(), allowance.min(), allowance.max());
	}

	@Override
	void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies) {
		boolean server = side == Side.SERVER;
		AllowanceKeys allowance = allowance(side);
		ofSection.put(MISSING, MissingDeadline.DEFAULT)
			.put(DEFAULT, Duration.ofSeconds(server ? 5 : 2))
			.put(MAX, Duration.ofHours(24))
			.put(allowance.fraction(), server ? 0.02 : 0.05)
			.put(allowance.min(), Duration.ofMillis(server ? 5 : 10))
			.put(allowance.max(), Duration.ofMillis(server ? 25 : 100));
	}

	/**
	 * Share of a budget that an allowance never exceeds: the answer margin a tenth, the
	 * reserve half.
	 */
	private static double ceiling(Side side) {
		return (side == Side.SERVER) ? 0.1 : 0.5;
	}

	static DeadlinePolicy policy(Side side, MergedSettings merged) {
		long max = merged.nanos(MAX);
		MissingDeadline missing = merged.value(MISSING, MissingDeadline.DEFAULT);
		if (missing == MissingDeadline.DEFAULT && merged.find(DEFAULT) == null) {
			missing = MissingDeadline.ALLOW;
		}
		AllowanceKeys keys = allowance(side);
		Allowance allowance = new Allowance(merged.value(keys.fraction(), 0.0),
				DeadlinePolicy.nanos(merged.value(keys.min(), Duration.ZERO)),
				DeadlinePolicy.nanos(merged.value(keys.max(), Duration.ZERO)), ceiling(side));
		return new DeadlinePolicy(missing, Math.min(max, merged.nanos(DEFAULT)), max, allowance);
	}

	@Override
	void check(Side side, MergedSettings merged, Consumer<PolicyFault> faults) {
		checkDefaultAgainstMax(merged, faults);
		AllowanceKeys allowance = allowance(side);
		checkOrder(allowance.min(), allowance.max(), "set both, min at most max", merged, faults);
	}

	/**
	 * A default that is inherited from a weaker level is shortened to the max of the
	 * stronger one, as every longer deadline is. One that was written at the max's own
	 * level or a stronger one can never take effect: that is a mistake. Against the max
	 * of the section or a built-in one only the section's default is one; a policy may be
	 * for streams, which these do not concern.
	 */
	private static void checkDefaultAgainstMax(MergedSettings merged, Consumer<PolicyFault> faults) {
		Setting<?> value = merged.findValid(DEFAULT);
		Setting<?> max = merged.findValid(MAX);
		PolicyLevel level = merged.findLevel(DEFAULT);
		PolicyLevel maxLevel = merged.findLevel(MAX);
		if (value == null || max == null || level == null || maxLevel == null || SettingKey.compare(value, max) <= 0) {
			return;
		}
		boolean written = level != PolicyLevel.BUILT_IN && level.compareTo(maxLevel) >= 0;
		boolean boundByOthers = level.isPolicy() && !maxLevel.isPolicy();
		if (written && !boundByOthers) {
			faults.accept(PolicyFault.of(value,
					"is above " + max.origin().property() + " = " + SettingText.of(max.value()) + " ("
							+ max.origin().location() + ")",
					"set the default to at most " + SettingText.of(max.value()) + ", or raise the max"));
		}
	}

	/**
	 * The settings of one {@link Allowance}. Immutable.
	 */
	public static final class AllowanceKeys {

		private final SettingKey<Double> fraction;

		private final SettingKey<Duration> min;

		private final SettingKey<Duration> max;

		private AllowanceKeys(String prefix) {
			this.fraction = new SettingKey<>(prefix + ".fraction", Double.class, SectionScope.ALL,
					(value) -> value >= 0 && value <= 1, "must be between 0 and 1",
					"write a fraction such as 0.05 for 5 %");
			this.min = new SettingKey<>(prefix + ".min", Duration.class, SectionScope.ALL,
					(value) -> !value.isNegative(), "must not be negative",
					"write a duration such as 10ms, or 0 for no lower bound");
			this.max = new SettingKey<>(prefix + ".max", Duration.class, SectionScope.ALL,
					(value) -> value.compareTo(Duration.ZERO) > 0, "must be positive", DURATION_REMEDY);
		}

		/**
		 * Share of the budget.
		 * @return the setting
		 */
		public SettingKey<Double> fraction() {
			return this.fraction;
		}

		/**
		 * Lower bound.
		 * @return the setting
		 */
		public SettingKey<Duration> min() {
			return this.min;
		}

		/**
		 * Upper bound.
		 * @return the setting
		 */
		public SettingKey<Duration> max() {
			return this.max;
		}

	}

}
