package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * The settings of attempts, all of them of clients.
 */
public final class AttemptSettings extends FeatureSettings {

	private static final String DURATION_REMEDY = "write a duration such as 50ms or 1s";

	/** Whether calls may be made more than once although the proto does not say so. */
	public static final SettingKey<Boolean> IDEMPOTENT = SettingKey.toggle("idempotent");

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
			Double.class, SectionScope.ALL, (value) -> value >= 1 && value <= 100, "must be between 1 and 100",
			"write a factor such as 2.0");

	/** Share by which a wait is changed at random. */
	public static final SettingKey<Double> JITTER = new SettingKey<>("retry.jitter", Double.class, SectionScope.ALL,
			(value) -> value >= 0 && value <= 1, "must be between 0 and 1", "write a fraction such as 0.2 for ±20 %");

	/** Longest time of one attempt. */
	public static final SettingKey<Duration> ATTEMPT_TIMEOUT = duration("retry.attempt-timeout");

	/** Most attempts of a call that is hedged. */
	public static final SettingKey<Integer> HEDGE_MAX_ATTEMPTS = maxAttempts("hedge.max-attempts");

	/** How long an attempt may take before another one is made beside it. */
	public static final SettingKey<HedgeDelay> HEDGE_DELAY = new SettingKey<>("hedge.delay", HedgeDelay.class,
			SectionScope.ALL, HedgeDelay::isValid, "is neither a duration nor a percentile between p0 and p100",
			"write a duration such as 40ms, or a percentile such as p95");

	/** Codes after which the next attempt is made at once. */
	public static final SettingKey<Set<Status.Code>> NON_FATAL_STATUS_CODES = codes("hedge.non-fatal-status-codes");

	/** Attempts that each call adds to the budget of its client. */
	public static final SettingKey<Double> BUDGET_RATIO = new SettingKey<>("attempt-budget.ratio", Double.class,
			SectionScope.ALL, (value) -> value >= 0 && value <= 1, "must be between 0 and 1",
			"write a fraction such as 0.1 for 10 %");

	/** Attempts that each second adds to the budget of a client. */
	public static final SettingKey<Double> BUDGET_MIN_PER_SECOND = new SettingKey<>("attempt-budget.min-per-second",
			Double.class, SectionScope.ALL, (value) -> value >= 0 && value <= 1_000_000,
			"must be between 0 and 1000000", "write a number such as 1");

	/** How long a client may keep what its budget was given. */
	public static final SettingKey<Duration> BUDGET_WINDOW = new SettingKey<>("attempt-budget.window", Duration.class,
			SectionScope.ALL,
			(value) -> value.compareTo(Duration.ofSeconds(1)) >= 0 && value.compareTo(Duration.ofHours(1)) <= 0,
			"must be between 1s and 1h", "write a duration such as 10s");

	private static final List<SettingKey<?>> RETRY = List.of(RETRY_MAX_ATTEMPTS, RETRYABLE_STATUS_CODES,
			INITIAL_BACKOFF, MAX_BACKOFF, BACKOFF_MULTIPLIER, JITTER, ATTEMPT_TIMEOUT);

	private static final List<SettingKey<?>> HEDGE = List.of(HEDGE_MAX_ATTEMPTS, HEDGE_DELAY, NON_FATAL_STATUS_CODES);

	/** Of the section only. */
	private static final List<SettingKey<?>> BUDGET = List.of(BUDGET_RATIO, BUDGET_MIN_PER_SECOND, BUDGET_WINDOW);

	AttemptSettings() {
	}

	@Override
	Stream<SettingKey<?>> keys(Side side) {
		return (side == Side.CLIENT) ? Stream.of(List.<SettingKey<?>>of(IDEMPOTENT), RETRY, HEDGE).flatMap(List::stream)
				: Stream.of();
	}

	@Override
	Stream<SettingKey<?>> keysOfSectionOnly(Side side) {
		return (side == Side.CLIENT) ? BUDGET.stream() : Stream.of();
	}

	@Override
	void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies) {
		if (side == Side.CLIENT) {
			ofPolicies.put(IDEMPOTENT, false);
			ofSection.put(BUDGET_RATIO, 0.1).put(BUDGET_MIN_PER_SECOND, 1.0).put(BUDGET_WINDOW, Duration.ofSeconds(10));
		}
	}

	/**
	 * What a policy that asks for retries need not say.
	 */
	private static Map<SettingKey<?>, Setting<?>> retry(String prefix) {
		return BuiltInValues.forPolicy(prefix)
			.put(RETRY_MAX_ATTEMPTS, 3)
			.put(RETRYABLE_STATUS_CODES, Set.of(Status.Code.UNAVAILABLE))
			.put(INITIAL_BACKOFF, Duration.ofMillis(50))
			.put(MAX_BACKOFF, Duration.ofSeconds(1))
			.put(BACKOFF_MULTIPLIER, 2.0)
			.put(JITTER, 0.2)
			.map();
	}

	/**
	 * What a policy that asks for hedges need not say.
	 */
	private static Map<SettingKey<?>, Setting<?>> hedge(String prefix) {
		return BuiltInValues.forPolicy(prefix)
			.put(HEDGE_MAX_ATTEMPTS, 2)
			.put(HEDGE_DELAY, HedgeDelay.percentile(95))
			.put(NON_FATAL_STATUS_CODES, Set.of(Status.Code.UNAVAILABLE))
			.map();
	}

	/**
	 * Of retries and hedges keeps those that the stronger level asks for, and completes
	 * them. If both stand at one level, which is a mistake, both are kept.
	 */
	static void decide(MergedSettings merged, String prefix) {
		PolicyLevel retry = merged.strongest(RETRY);
		PolicyLevel hedge = merged.strongest(HEDGE);
		if (retry != null && hedge != null && retry != hedge) {
			boolean retries = retry.compareTo(hedge) > 0;
			merged.removeAll(retries ? HEDGE : RETRY);
			retry = retries ? retry : null;
			hedge = retries ? null : hedge;
		}
		if (retry != null) {
			merged.complete(retry(prefix));
		}
		if (hedge != null) {
			merged.complete(hedge(prefix));
		}
	}

	/**
	 * Takes an attempt's timeout from a stream unless it was written for the method:
	 * servers send headers with the first message, so a service's would end its quiet
	 * streams (decision 36).
	 */
	static void leaveStreamsTheirTime(MergedSettings merged) {
		PolicyLevel level = merged.findLevel(ATTEMPT_TIMEOUT);
		if (level != null && !level.isMethod()) {
			merged.removeAll(List.of(ATTEMPT_TIMEOUT));
		}
	}

	static AttemptPolicy policy(MergedSettings merged) {
		if (merged.find(HEDGE_MAX_ATTEMPTS) != null) {
			return ifMoreThanOne(new AttemptPolicy.Hedge(merged.value(HEDGE_MAX_ATTEMPTS, 1),
					merged.value(HEDGE_DELAY, HedgeDelay.percentile(95)),
					merged.value(NON_FATAL_STATUS_CODES, Set.of())));
		}
		if (merged.find(RETRY_MAX_ATTEMPTS) == null) {
			return AttemptPolicy.ONCE;
		}
		long maxBackoff = merged.nanos(MAX_BACKOFF);
		return ifMoreThanOne(new AttemptPolicy.Retry(merged.value(RETRY_MAX_ATTEMPTS, 1),
				merged.value(RETRYABLE_STATUS_CODES, Set.of()), Math.min(maxBackoff, merged.nanos(INITIAL_BACKOFF)),
				maxBackoff, merged.value(BACKOFF_MULTIPLIER, 1.0), merged.value(JITTER, 0.0),
				merged.nanos(ATTEMPT_TIMEOUT)));
	}

	private static AttemptPolicy ifMoreThanOne(AttemptPolicy policy) {
		boolean timed = policy instanceof AttemptPolicy.Retry retry
				&& retry.attemptTimeoutNanos() != AttemptPolicy.NO_TIMEOUT;
		return (policy.maxAttempts() > 1 || timed) ? policy : AttemptPolicy.ONCE;
	}

	static AttemptBudgetPolicy budget(MergedSettings merged) {
		return new AttemptBudgetPolicy(merged.value(BUDGET_RATIO, 0.0), merged.value(BUDGET_MIN_PER_SECOND, 0.0),
				merged.nanos(BUDGET_WINDOW));
	}

	/**
	 * The setting that asks for hedges after a percentile of what calls take.
	 */
	static @Nullable Setting<?> findLiveHedge(MergedSettings merged) {
		if (!(policy(merged) instanceof AttemptPolicy.Hedge hedge) || !hedge.delay().isLive()) {
			return null;
		}
		Setting<?> delay = merged.findWritten(List.of(HEDGE_DELAY));
		return (delay != null) ? delay : merged.findWritten(HEDGE);
	}

	@Override
	void check(Side side, MergedSettings merged, Consumer<PolicyFault> faults) {
		Setting<?> retry = merged.findWritten(RETRY);
		Setting<?> hedge = merged.findWritten(HEDGE);
		if (retry != null && hedge != null) {
			faults.accept(PolicyFault.of(hedge,
					"stands beside " + retry.origin().property() + " = " + SettingText.of(retry.value()) + " ("
							+ retry.origin().location() + "), and a call is either retried or hedged",
					"keep retry or hedge, and remove the other one"));
		}
		checkOrder(INITIAL_BACKOFF, MAX_BACKOFF, "set both, initial-backoff at most max-backoff", merged, faults);
		Setting<?> timeout = merged.findValid(ATTEMPT_TIMEOUT);
		Setting<?> max = merged.findValid(DeadlineSettings.MAX);
		PolicyLevel maxLevel = merged.findLevel(DeadlineSettings.MAX);
		// The max of the section does not concern streams, of which this may be one.
		if (timeout != null && max != null && maxLevel != null && maxLevel.isPolicy()
				&& SettingKey.compare(timeout, max) > 0) {
			faults.accept(PolicyFault.of(timeout,
					"is above " + max.origin().property() + " = " + SettingText.of(max.value()) + " ("
							+ max.origin().location() + "), so it never ends an attempt",
					"set the timeout of one attempt to less than what the whole call may take"));
		}
	}

	private static SettingKey<Integer> maxAttempts(String name) {
		return new SettingKey<>(name, Integer.class, SectionScope.ALL, (value) -> value >= 1 && value <= 10,
				"must be between 1 and 10", "write the number of attempts, the first included, such as 3");
	}

	private static SettingKey<Duration> duration(String name) {
		return new SettingKey<>(name, Duration.class, SectionScope.ALL, (value) -> value.compareTo(Duration.ZERO) > 0,
				"must be positive", DURATION_REMEDY);
	}

	@SuppressWarnings({ "unchecked", "rawtypes" })
	private static SettingKey<Set<Status.Code>> codes(String name) {
		return new SettingKey<>(name, (Class<Set<Status.Code>>) (Class) Set.class, SectionScope.ALL,
				(codes) -> !codes.isEmpty() && !codes.contains(Status.Code.OK), "must name failures, and OK is none",
				"list codes such as UNAVAILABLE");
	}

}
