package io.github.grpcresilience.policy;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * A setting that a section or a policy may hold. Immutable; the constants are all there
 * are.
 *
 * @param <T> type of the values
 */
public final class SettingKey<T> {

	private static final String POSITIVE = "must be positive";

	private static final String NOT_NEGATIVE = "must not be negative";

	private static final String DURATION_REMEDY = "write a duration such as 250ms, 2s or 1m";

	private static final String OFF_REMEDY = "write a duration such as 10ms, or 0 for no lower bound";

	private static final String FRACTION_REMEDY = "write a fraction such as 0.05 for 5 %";

	/** What happens to a call without a deadline. */
	public static final SettingKey<MissingDeadline> MISSING = new SettingKey<>("deadline.missing",
			MissingDeadline.class, true, (value) -> true, "", "");

	/** Budget of a call without a deadline. */
	public static final SettingKey<Duration> DEFAULT = duration("deadline.default");

	/** Longest budget of a call. */
	public static final SettingKey<Duration> MAX = duration("deadline.max");

	/** Whether threads that work for a call are interrupted when it is cancelled. */
	public static final SettingKey<Boolean> INTERRUPT_ON_CANCEL = new SettingKey<>("interrupt-on-cancel", Boolean.class,
			false, (value) -> true, "", "");

	/** What happens to a transaction that is to be committed after its call has ended. */
	public static final SettingKey<CommitAfterEnd> COMMIT_AFTER_END = new SettingKey<>("commit-after-end",
			CommitAfterEnd.class, false, (value) -> true, "", "");

	/** Whether callers are told that a call was refused for want of rights. */
	public static final SettingKey<Boolean> RELAY_AUTH_ERRORS = new SettingKey<>("relay-auth-errors", Boolean.class,
			false, (value) -> true, "", "");

	/** Most calls that run at once. */
	public static final SettingKey<Integer> MAX_CONCURRENT = new SettingKey<>("admission.max-concurrent", Integer.class,
			false, (value) -> value >= 1, "must be at least 1", "write a whole number such as 20, or remove it");

	/** Whether a limit on unary calls that run at once is found by measuring. */
	public static final SettingKey<Boolean> ADAPTIVE = new SettingKey<>("admission.adaptive", Boolean.class, false,
			(value) -> true, "", "");

	/** Most calls that start within a second. */
	public static final SettingKey<Double> MAX_PER_SECOND = new SettingKey<>("admission.max-per-second", Double.class,
			false, AdmissionPolicy::isRate, "must be between 0.001 and 1000000",
			"write how many calls may start within a second, such as 50 or 0.5, or remove it");

	private static final List<SettingKey<?>> ADMISSION = List.of(MAX_CONCURRENT, ADAPTIVE, MAX_PER_SECOND);

	/** Circuit breaker that the methods share. */
	public static final SettingKey<String> BREAKER_INSTANCE = name("circuit-breaker.instance");

	/** Configuration of the circuit breakers that the methods have one each. */
	public static final SettingKey<String> BREAKER_CONFIG = name("circuit-breaker.config");

	/** Rate limiter that the methods share. */
	public static final SettingKey<String> RATE_LIMITER = name("rate-limiter.instance");

	/** Bulkhead that the methods share. */
	public static final SettingKey<String> BULKHEAD = name("bulkhead.instance");

	/** What stands between attempts and the network. */
	private static final List<SettingKey<String>> GATES = List.of(BREAKER_INSTANCE, BREAKER_CONFIG, RATE_LIMITER,
			BULKHEAD);

	private static final AllowanceKeys RESERVE = new AllowanceKeys("deadline.reserve");

	private static final AllowanceKeys ANSWER_MARGIN = new AllowanceKeys("deadline.answer-margin");

	private final String name;

	private final Class<T> type;

	private final boolean unaryOnlyInSection;

	private final Predicate<T> valid;

	private final String rule;

	private final String remedy;

	SettingKey(String name, Class<T> type, boolean unaryOnlyInSection, Predicate<T> valid, String rule, String remedy) {
		this.name = name;
		this.type = type;
		this.unaryOnlyInSection = unaryOnlyInSection;
		this.valid = valid;
		this.rule = rule;
		this.remedy = remedy;
	}

	private static SettingKey<Duration> duration(String name) {
		return new SettingKey<>(name, Duration.class, true, (value) -> value.compareTo(Duration.ZERO) > 0, POSITIVE,
				DURATION_REMEDY);
	}

	private static SettingKey<String> name(String name) {
		return new SettingKey<>(name, String.class, false, (value) -> !value.isBlank(), "must not be empty",
				"write the name that it has below resilience4j, or remove the property");
	}

	/**
	 * The settings of an allowance: the client's reserve, the server's answer margin.
	 * @param side the side
	 * @return its allowance
	 */
	public static AllowanceKeys allowance(Side side) {
		return (side == Side.CLIENT) ? RESERVE : ANSWER_MARGIN;
	}

	/**
	 * Every setting of a side.
	 * @param side the side
	 * @return the settings in the order in which they are shown
	 */
	public static List<SettingKey<?>> all(Side side) {
		AllowanceKeys allowance = allowance(side);
		List<SettingKey<?>> deadline = List.of(MISSING, DEFAULT, MAX, allowance.fraction(), allowance.min(),
				allowance.max());
		Stream<SettingKey<?>> others = (side == Side.CLIENT)
				? Stream.of(Stream.of(RELAY_AUTH_ERRORS), AttemptKeys.ofPolicies(), GATES.stream())
					.<SettingKey<?>>flatMap((keys) -> keys)
				: Stream.concat(Stream.of(INTERRUPT_ON_CANCEL, COMMIT_AFTER_END), ADMISSION.stream());
		return Stream.concat(deadline.stream(), others).toList();
	}

	/**
	 * Every setting that only the section of a side may hold.
	 * @param side the side
	 * @return the settings in the order in which they are shown
	 */
	public static List<SettingKey<?>> ofSectionOnly(Side side) {
		return (side == Side.CLIENT) ? AttemptKeys.BUDGET : List.of();
	}

	/**
	 * The setting that this one rules out: the stronger of the two holds.
	 */
	@Nullable SettingKey<?> rival() {
		return (this == BREAKER_CONFIG) ? BREAKER_INSTANCE : (this == BREAKER_INSTANCE) ? BREAKER_CONFIG : null;
	}

	/**
	 * What the policies of a side may switch on, and no section does.
	 */
	static List<SettingKey<Boolean>> switchesOf(Side side) {
		return (side == Side.CLIENT) ? List.of(RELAY_AUTH_ERRORS, AttemptKeys.IDEMPOTENT)
				: List.of(INTERRUPT_ON_CANCEL);
	}

	/**
	 * What may stand between the attempts of a method and the network.
	 * @return the settings that name it
	 */
	public static List<SettingKey<String>> gates() {
		return GATES;
	}

	/**
	 * Name below a section or a policy.
	 * @return the name, such as {@code deadline.max}
	 */
	public String name() {
		return this.name;
	}

	/**
	 * Whether a value that stands in the section is for unary calls only. Values that
	 * impose a deadline are; how a deadline is handled applies wherever there is one.
	 */
	boolean unaryOnlyInSection() {
		return this.unaryOnlyInSection;
	}

	/**
	 * Whether a value that stands in the section is for all calls together. Methods do
	 * not inherit it.
	 */
	boolean isTotalInSection() {
		return ADMISSION.contains(this);
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
	 * A value as users write it.
	 * @param value a value of a setting
	 * @return the text
	 */
	public static String render(Object value) {
		if (value instanceof Duration duration) {
			return render(duration);
		}
		if (value instanceof Set<?> codes) {
			return codes.stream().map(String::valueOf).sorted().collect(Collectors.joining(", "));
		}
		return (value instanceof Enum<?> constant) ? constant.name().toLowerCase(Locale.ROOT) : String.valueOf(value);
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

	static String render(Duration duration) {
		if (duration.isZero()) {
			return "0";
		}
		if (duration.toNanosPart() % 1_000_000 != 0) {
			return (duration.toNanosPart() % 1_000 != 0) ? duration.toNanos() + "ns"
					: duration.toNanos() / 1_000 + "us";
		}
		if (duration.toMillisPart() != 0) {
			return duration.toMillis() + "ms";
		}
		return (duration.toSecondsPart() != 0) ? duration.toSeconds() + "s"
				: (duration.toMinutesPart() != 0) ? duration.toMinutes() + "m" : duration.toHours() + "h";
	}

	@Override
	public String toString() {
		return this.name;
	}

	/**
	 * The settings of one {@link Allowance}. Immutable.
	 */
	public static final class AllowanceKeys {

		private final SettingKey<Double> fraction;

		private final SettingKey<Duration> min;

		private final SettingKey<Duration> max;

		private AllowanceKeys(String prefix) {
			this.fraction = new SettingKey<>(prefix + ".fraction", Double.class, false,
					(value) -> value >= 0 && value <= 1, "must be between 0 and 1", FRACTION_REMEDY);
			this.min = new SettingKey<>(prefix + ".min", Duration.class, false, (value) -> !value.isNegative(),
					NOT_NEGATIVE, OFF_REMEDY);
			this.max = new SettingKey<>(prefix + ".max", Duration.class, false,
					(value) -> value.compareTo(Duration.ZERO) > 0, POSITIVE, DURATION_REMEDY);
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
