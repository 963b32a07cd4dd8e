package io.github.grpcresilience.policy;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;

import io.github.grpcresilience.internal.policy.DeadlinePolicy;
import io.github.grpcresilience.internal.policy.SettingText;

/**
 * How long an attempt may take before another one is made beside it. Immutable.
 *
 * @param nanos the time in nanoseconds, zero or more; not read if there is a percentile
 * @param percentile percentile of the attempts seen lately, above 0 and below 100; zero
 * for a fixed time
 */
public record HedgeDelay(long nanos, double percentile) {

	/**
	 * A fixed time.
	 * @param duration the time, zero or more
	 * @return the delay
	 */
	public static HedgeDelay of(Duration duration) {
		return new HedgeDelay(DeadlinePolicy.nanos(duration), 0);
	}

	/**
	 * Reads a time or a percentile.
	 * @param text a percentile such as {@code p95}, or a duration such as {@code 40ms} or
	 * {@code PT0.04S}; a number alone is milliseconds
	 * @return the delay
	 * @throws IllegalArgumentException if it is neither
	 */
	public static HedgeDelay of(String text) {
		try {
			if (text.startsWith("p")) {
				return percentile(Double.parseDouble(text.substring(1)));
			}
			if (text.startsWith("P")) {
				return of(Duration.parse(text));
			}
			int digits = 0;
			while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
				digits++;
			}
			return of(Duration.of(Long.parseLong(text.substring(0, digits)), unit(text.substring(digits).strip())));
		}
		catch (NumberFormatException | DateTimeParseException | ArithmeticException ex) {
			throw new IllegalArgumentException(
					"'" + text + "' must be a duration such as 40ms, or a percentile such as p95", ex);
		}
	}

	private static ChronoUnit unit(String text) {
		return switch (text) {
			case "ns" -> ChronoUnit.NANOS;
			case "us" -> ChronoUnit.MICROS;
			case "", "ms" -> ChronoUnit.MILLIS;
			case "s" -> ChronoUnit.SECONDS;
			case "m" -> ChronoUnit.MINUTES;
			default -> throw new NumberFormatException(text);
		};
	}

	/**
	 * A percentile of what attempts have taken lately.
	 * @param percentile above 0 and below 100, such as 95
	 * @return the delay
	 */
	public static HedgeDelay percentile(double percentile) {
		return new HedgeDelay(0, percentile);
	}

	/**
	 * Whether the time follows what attempts take.
	 * @return {@code false} for a fixed time
	 */
	public boolean isLive() {
		return this.percentile != 0;
	}

	/**
	 * Whether it can be waited for.
	 * @return {@code false} for a negative time, or a percentile that is none
	 */
	public boolean isValid() {
		return this.nanos >= 0 && (!isLive() || (this.percentile > 0 && this.percentile < 100));
	}

	@Override
	public String toString() {
		if (isLive()) {
			String number = Double.toString(this.percentile);
			return "p" + (number.endsWith(".0") ? number.substring(0, number.length() - 2) : number);
		}
		return SettingText.of(Duration.ofNanos(this.nanos));
	}

}
