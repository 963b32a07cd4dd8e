package io.github.grpcresilience.policy;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/**
 * Settings of one method while the levels are laid over one another, lowest first.
 * Confined to one thread.
 */
final class MergedSettings {

	private final Side side;

	private final Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();

	private final Map<SettingKey<?>, PolicyLevel> levels = new HashMap<>();

	MergedSettings(Side side) {
		this.side = side;
	}

	void lay(PolicyLevel level, Map<SettingKey<?>, Setting<?>> values, boolean unary) {
		values.forEach((key, setting) -> {
			if (level.isPolicy() || ((unary || !key.unaryOnlyInSection()) && !key.isTotalInSection())) {
				this.settings.put(key, setting);
				this.levels.put(key, level);
				removeWeaker(key.rival(), level);
			}
		});
	}

	/**
	 * Takes from the section what is for all calls together.
	 */
	void layTotal(Map<SettingKey<?>, Setting<?>> section) {
		section.forEach((key, setting) -> {
			if (key.isTotalInSection()) {
				this.settings.put(key, setting);
			}
		});
	}

	private void removeWeaker(@Nullable SettingKey<?> rival, PolicyLevel level) {
		PolicyLevel weaker = (rival != null) ? this.levels.get(rival) : null;
		if (weaker != null && weaker.compareTo(level) < 0) {
			this.settings.remove(rival);
			this.levels.remove(rival);
		}
	}

	@Nullable Setting<?> find(SettingKey<?> key) {
		return this.settings.get(key);
	}

	@Nullable PolicyLevel findLevel(SettingKey<?> key) {
		return this.levels.get(key);
	}

	private <T> T value(SettingKey<T> key, T absent) {
		Setting<?> setting = this.settings.get(key);
		return (setting != null) ? key.cast(setting) : absent;
	}

	Map<String, Setting<?>> byName() {
		Map<String, Setting<?>> byName = new HashMap<>();
		for (SettingKey<?> key : SettingKey.all(this.side)) {
			Setting<?> setting = this.settings.get(key);
			if (setting != null) {
				byName.put(key.name(), setting);
			}
		}
		return byName;
	}

	boolean isOn(SettingKey<Boolean> key) {
		return value(key, false);
	}

	boolean refusesLateCommits() {
		return value(SettingKey.COMMIT_AFTER_END, CommitAfterEnd.ALLOW) == CommitAfterEnd.REFUSE;
	}

	/**
	 * Of retries and hedges keeps those that the stronger level asks for, and completes
	 * them. If both stand at one level, which is a mistake, both are kept.
	 */
	void decideAttempts(String prefix) {
		PolicyLevel retry = strongest(AttemptKeys.RETRY);
		PolicyLevel hedge = strongest(AttemptKeys.HEDGE);
		if (retry != null && hedge != null && retry != hedge) {
			boolean retries = retry.compareTo(hedge) > 0;
			(retries ? AttemptKeys.HEDGE : AttemptKeys.RETRY).forEach(this.settings::remove);
			retry = retries ? retry : null;
			hedge = retries ? null : hedge;
		}
		if (retry != null) {
			BuiltIn.retry(prefix).forEach(this::complete);
		}
		if (hedge != null) {
			BuiltIn.hedge(prefix).forEach(this::complete);
		}
	}

	private void complete(SettingKey<?> key, Setting<?> builtIn) {
		if (this.settings.putIfAbsent(key, builtIn) == null) {
			this.levels.put(key, PolicyLevel.BUILT_IN);
		}
	}

	private @Nullable PolicyLevel strongest(List<SettingKey<?>> keys) {
		return keys.stream()
			.filter(this.settings::containsKey)
			.map(this.levels::get)
			.max(Comparator.naturalOrder())
			.orElse(null);
	}

	AttemptPolicy toAttemptPolicy() {
		if (this.settings.containsKey(AttemptKeys.HEDGE_MAX_ATTEMPTS)) {
			return ifMoreThanOne(new AttemptPolicy.Hedge(value(AttemptKeys.HEDGE_MAX_ATTEMPTS, 1),
					value(AttemptKeys.HEDGE_DELAY, HedgeDelay.percentile(95)),
					value(AttemptKeys.NON_FATAL_STATUS_CODES, Set.of())));
		}
		if (!this.settings.containsKey(AttemptKeys.RETRY_MAX_ATTEMPTS)) {
			return AttemptPolicy.ONCE;
		}
		long maxBackoff = nanos(AttemptKeys.MAX_BACKOFF);
		return ifMoreThanOne(new AttemptPolicy.Retry(value(AttemptKeys.RETRY_MAX_ATTEMPTS, 1),
				value(AttemptKeys.RETRYABLE_STATUS_CODES, Set.of()),
				Math.min(maxBackoff, nanos(AttemptKeys.INITIAL_BACKOFF)), maxBackoff,
				value(AttemptKeys.BACKOFF_MULTIPLIER, 1.0), value(AttemptKeys.JITTER, 0.0),
				nanos(AttemptKeys.ATTEMPT_TIMEOUT)));
	}

	/**
	 * The setting that asks for hedges after a percentile of what calls take.
	 */
	@Nullable Setting<?> findLiveHedge() {
		if (!(toAttemptPolicy() instanceof AttemptPolicy.Hedge hedge) || !hedge.delay().isLive()) {
			return null;
		}
		Setting<?> delay = findWritten(List.of(AttemptKeys.HEDGE_DELAY));
		return (delay != null) ? delay : findWritten(AttemptKeys.HEDGE);
	}

	/**
	 * The first of some settings that was not completed.
	 */
	@Nullable Setting<?> findWritten(List<SettingKey<?>> keys) {
		for (SettingKey<?> key : keys) {
			Setting<?> setting = find(key);
			if (setting != null && !setting.origin().isBuiltIn()) {
				return setting;
			}
		}
		return null;
	}

	private static AttemptPolicy ifMoreThanOne(AttemptPolicy policy) {
		boolean timed = policy instanceof AttemptPolicy.Retry retry
				&& retry.attemptTimeoutNanos() != AttemptPolicy.NO_TIMEOUT;
		return (policy.maxAttempts() > 1 || timed) ? policy : AttemptPolicy.ONCE;
	}

	AttemptBudgetPolicy toAttemptBudgetPolicy() {
		return new AttemptBudgetPolicy(value(AttemptKeys.BUDGET_RATIO, 0.0),
				value(AttemptKeys.BUDGET_MIN_PER_SECOND, 0.0), nanos(AttemptKeys.BUDGET_WINDOW));
	}

	DeadlinePolicy toDeadlinePolicy() {
		long max = nanos(SettingKey.MAX);
		boolean hasDefault = this.settings.containsKey(SettingKey.DEFAULT);
		MissingDeadline missing = value(SettingKey.MISSING, MissingDeadline.DEFAULT);
		if (missing == MissingDeadline.DEFAULT && !hasDefault) {
			missing = MissingDeadline.ALLOW;
		}
		return new DeadlinePolicy(missing, Math.min(max, nanos(SettingKey.DEFAULT)), max, toAllowance());
	}

	AdmissionPolicy toAdmissionPolicy() {
		return new AdmissionPolicy(value(SettingKey.MAX_CONCURRENT, AdmissionPolicy.UNLIMITED),
				value(SettingKey.ADAPTIVE, false), value(SettingKey.MAX_PER_SECOND, AdmissionPolicy.UNLIMITED_RATE));
	}

	private Allowance toAllowance() {
		SettingKey.AllowanceKeys keys = SettingKey.allowance(this.side);
		return new Allowance(value(keys.fraction(), 0.0), saturatedNanos(value(keys.min(), Duration.ZERO)),
				saturatedNanos(value(keys.max(), Duration.ZERO)), BuiltIn.ceiling(this.side));
	}

	private long nanos(SettingKey<Duration> key) {
		return this.settings.containsKey(key) ? saturatedNanos(value(key, Duration.ZERO)) : DeadlinePolicy.UNLIMITED;
	}

	static long saturatedNanos(Duration duration) {
		return (duration.toSeconds() < Long.MAX_VALUE / 1_000_000_000L) ? duration.toNanos() : Long.MAX_VALUE;
	}

}
