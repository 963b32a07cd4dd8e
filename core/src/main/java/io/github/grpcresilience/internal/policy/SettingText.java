package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Values of settings as users write them.
 */
public final class SettingText {

	private SettingText() {
	}

	/**
	 * A value as users write it.
	 * @param value a value of a setting
	 * @return the text
	 */
	public static String of(Object value) {
		if (value instanceof Duration duration) {
			return of(duration);
		}
		if (value instanceof Set<?> codes) {
			return codes.stream().map(String::valueOf).sorted().collect(Collectors.joining(", "));
		}
		return (value instanceof Enum<?> constant) ? constant.name().toLowerCase(Locale.ROOT) : String.valueOf(value);
	}

	private static String of(Duration duration) {
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

}
