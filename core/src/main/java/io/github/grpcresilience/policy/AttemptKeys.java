package io.github.grpcresilience.policy;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import io.grpc.Status;

/**
 * The settings of attempts, all of them of clients.
 */
public final class AttemptKeys {

	private static final String DURATION_REMEDY = "write a duration such as 50ms or 1s";

	/** Whether calls may be made more than once although the proto does not say so. */
	public static final SettingKey<Boolean> IDEMPOTENT = new SettingKey<>("idempotent", Boolean.class, false,
			(value) -> true, "", "");

	/** Most attempts of a call that is retried. */
	public static final SettingKey<Integer> RETRY_MAX_ATTEMPTS = maxAttempts("retry.max-attempts");

	/** Codes after which there is another attempt. */
	public static final SettingKey<Set<Status.Code>> RETRYABLE_STATUS_CODES = codes("retry.retryable-status-codes");

	/** Wait before the second attempt. */
	public static final SettingKey<Duration> INITIAL_BACKOFF = duration("retry.initial-backoff");

	/** Longest wait. */
	public static final SettingKey<Duration> MAX_BACKOFF = duration("retry.max-backoff");

	/** Factor from one wait to the next. */
	public static final SettingKey<Double> BACKOFF_MULTIPLIER = new SettingKey<>("retry.backoff-multiplier",
			Double.class, false, (value) -> value >= 1 && value <= 100, "must be between 1 and 100",
			"write a factor such as 2.0");

	/** Share by which a wait is changed at random. */
	public static final SettingKey<Double> JITTER = new SettingKey<>("retry.jitter", Double.class, false,
			(value) -> value >= 0 && value <= 1, "must be between 0 and 1", "write a fraction such as 0.2 for ±20 %");

	/** Longest time of one attempt. */
	public static final SettingKey<Duration> ATTEMPT_TIMEOUT = duration("retry.attempt-timeout");

	/** Most attempts of a call that is hedged. */
	public static final SettingKey<Integer> HEDGE_MAX_ATTEMPTS = maxAttempts("hedge.max-attempts");

	/** How long an attempt may take before another one is made beside it. */
	public static final SettingKey<HedgeDelay> HEDGE_DELAY = new SettingKey<>("hedge.delay", HedgeDelay.class, false,
			HedgeDelay::isValid, "is neither a duration nor a percentile between p0 and p100",
			"write a duration such as 40ms, or a percentile such as p95");

	/** Codes after which the next attempt is made at once. */
	public static final SettingKey<Set<Status.Code>> NON_FATAL_STATUS_CODES = codes("hedge.non-fatal-status-codes");

	/** Attempts that each call adds to the budget of its client. */
	public static final SettingKey<Double> BUDGET_RATIO = new SettingKey<>("attempt-budget.ratio", Double.class, false,
			(value) -> value >= 0 && value <= 1, "must be between 0 and 1", "write a fraction such as 0.1 for 10 %");

	/** Attempts that each second adds to the budget of a client. */
	public static final SettingKey<Double> BUDGET_MIN_PER_SECOND = new SettingKey<>("attempt-budget.min-per-second",
			Double.class, false, (value) -> value >= 0 && value <= 1_000_000, "must be between 0 and 1000000",
			"write a number such as 1");

	/** How long a client may keep what its budget was given. */
	public static final SettingKey<Duration> BUDGET_WINDOW = new SettingKey<>("attempt-budget.window", Duration.class,
			false, (value) -> value.compareTo(Duration.ofSeconds(1)) >= 0 && value.compareTo(Duration.ofHours(1)) <= 0,
			"must be between 1s and 1h", "write a duration such as 10s");

	static final List<SettingKey<?>> RETRY = List.of(RETRY_MAX_ATTEMPTS, RETRYABLE_STATUS_CODES, INITIAL_BACKOFF,
			MAX_BACKOFF, BACKOFF_MULTIPLIER, JITTER, ATTEMPT_TIMEOUT);

	static final List<SettingKey<?>> HEDGE = List.of(HEDGE_MAX_ATTEMPTS, HEDGE_DELAY, NON_FATAL_STATUS_CODES);

	/** Of the section only. */
	static final List<SettingKey<?>> BUDGET = List.of(BUDGET_RATIO, BUDGET_MIN_PER_SECOND, BUDGET_WINDOW);

	private AttemptKeys() {
	}

	/**
	 * What policies may hold.
	 */
	static Stream<SettingKey<?>> ofPolicies() {
		return Stream.of(List.<SettingKey<?>>of(IDEMPOTENT), RETRY, HEDGE).flatMap(List::stream);
	}

	private static SettingKey<Integer> maxAttempts(String name) {
		return new SettingKey<>(name, Integer.class, false, (value) -> value >= 1 && value <= 10,
				"must be between 1 and 10", "write the number of attempts, the first included, such as 3");
	}

	private static SettingKey<Duration> duration(String name) {
		return new SettingKey<>(name, Duration.class, false, (value) -> value.compareTo(Duration.ZERO) > 0,
				"must be positive", DURATION_REMEDY);
	}

	@SuppressWarnings({ "unchecked", "rawtypes" })
	private static SettingKey<Set<Status.Code>> codes(String name) {
		return new SettingKey<>(name, (Class<Set<Status.Code>>) (Class) Set.class, false,
				(codes) -> !codes.isEmpty() && !codes.contains(Status.Code.OK), "must name failures, and OK is none",
				"list codes such as UNAVAILABLE");
	}

}
