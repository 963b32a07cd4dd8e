package io.github.grpcresilience.policy;

import java.lang.StackWalker.StackFrame;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.Side;

/**
 * Settings that are written in Java. Each knows the line that it was written in, so that
 * mistakes name it. Confined to one thread.
 *
 * @param <S> type of this
 */
public abstract sealed class WrittenSettings<S extends WrittenSettings<S>>
		permits WrittenPolicy, ServerPolicies, ClientPolicies {

	private static final String OURS = "io.github.grpcresilience.";

	private static final List<String> NOT_THE_WRITER = List.of(OURS + "policy.", OURS + "GrpcResilience", "java.",
			"jdk.");

	private final Side side;

	private final String prefix;

	private final Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();

	WrittenSettings(Side side, String prefix) {
		this.side = side;
		this.prefix = prefix;
	}

	/**
	 * This, as what it is.
	 */
	abstract S self();

	/**
	 * What happens to a call without a deadline.
	 * @param missing whether it gets the default, is refused, or goes on without
	 * @return this
	 */
	public S missingDeadline(MissingDeadline missing) {
		return put(DeadlineSettings.MISSING, missing);
	}

	/**
	 * Budget of a call without a deadline.
	 * @param budget a positive time, at most the longest one
	 * @return this
	 */
	public S defaultDeadline(Duration budget) {
		return put(DeadlineSettings.DEFAULT, budget);
	}

	/**
	 * Longest time a call may take: a longer deadline is shortened, none is extended.
	 * @param budget a positive time
	 * @return this
	 */
	public S maxDeadline(Duration budget) {
		return put(DeadlineSettings.MAX, budget);
	}

	/**
	 * What is held back of a budget.
	 */
	S putAllowance(double fraction, Duration min, Duration max) {
		DeadlineSettings.AllowanceKeys keys = DeadlineSettings.allowance(this.side);
		put(keys.fraction(), fraction);
		put(keys.min(), min);
		return put(keys.max(), max);
	}

	<T> S put(SettingKey<T> key, T value) {
		this.settings.put(key, written(key.name(), value));
		return self();
	}

	<T> Setting<T> written(String name, T value) {
		return new Setting<>(value, new Origin(this.prefix + "." + name, line()));
	}

	<T> void writeAll(List<Setting<T>> settings, String name, List<T> values) {
		values.forEach((value) -> settings.add(written(name, value)));
	}

	Map<SettingKey<?>, Setting<?>> settings() {
		return this.settings;
	}

	String prefix() {
		return this.prefix;
	}

	static String line() {
		return StackWalker.getInstance()
			.walk((frames) -> frames
				.filter((frame) -> NOT_THE_WRITER.stream().noneMatch(frame.getClassName()::startsWith))
				.findFirst()
				.map(WrittenSettings::line)
				.orElse("code"));
	}

	private static String line(StackFrame frame) {
		return frame.getFileName() + ":" + frame.getLineNumber();
	}

}
