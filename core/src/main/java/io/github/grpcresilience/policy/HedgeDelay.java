package io.github.grpcresilience.policy;

import java.time.Duration;

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
		return new HedgeDelay(MergedSettings.saturatedNanos(duration), 0);
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

	boolean isValid() {
		return this.nanos >= 0 && (!isLive() || (this.percentile > 0 && this.percentile < 100));
	}

	@Override
	public String toString() {
		if (isLive()) {
			String number = Double.toString(this.percentile);
			return "p" + (number.endsWith(".0") ? number.substring(0, number.length() - 2) : number);
		}
		return SettingKey.render(Duration.ofNanos(this.nanos));
	}

}
