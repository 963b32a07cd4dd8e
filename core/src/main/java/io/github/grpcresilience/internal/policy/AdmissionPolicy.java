package io.github.grpcresilience.internal.policy;

/**
 * How many calls are let in: of one method, or of a server as a whole. Immutable.
 *
 * @param maxConcurrent most calls that run at once, at least 1; {@link #UNLIMITED} for no
 * bound
 * @param adaptive whether the number of unary calls that run at once is bounded by what
 * is measured, too; never above {@code maxConcurrent}
 * @param maxPerSecond most calls that start within a second, 0.001 to 1,000,000;
 * {@link #UNLIMITED_RATE} for no bound
 */
public record AdmissionPolicy(int maxConcurrent, boolean adaptive, double maxPerSecond) {

	/** No bound on the calls that run at once. */
	public static final int UNLIMITED = Integer.MAX_VALUE;

	/** No bound on the calls that start within a second. */
	public static final double UNLIMITED_RATE = Double.POSITIVE_INFINITY;

	/**
	 * Checks the ranges.
	 * @throws IllegalArgumentException if a value is out of its range
	 */
	public AdmissionPolicy {
		if (maxConcurrent < 1) {
			throw new IllegalArgumentException("maxConcurrent " + maxConcurrent + " must be at least 1");
		}
		if (maxPerSecond != UNLIMITED_RATE && !isRate(maxPerSecond)) {
			throw new IllegalArgumentException("maxPerSecond " + maxPerSecond + " must be 0.001 to 1000000");
		}
	}

	static boolean isRate(double perSecond) {
		return perSecond >= 0.001 && perSecond <= 1_000_000;
	}

	/**
	 * Whether the calls that run at once are bounded by a number that somebody wrote.
	 * @return {@code true} if they are
	 */
	public boolean hasMaxConcurrent() {
		return this.maxConcurrent != UNLIMITED;
	}

	/**
	 * Whether the calls that start within a second are bounded.
	 * @return {@code true} if they are
	 */
	public boolean hasMaxPerSecond() {
		return this.maxPerSecond != UNLIMITED_RATE;
	}

	/**
	 * Whether nothing is bounded.
	 * @return {@code true} if every call is let in
	 */
	public boolean isOff() {
		return !hasMaxConcurrent() && !this.adaptive && !hasMaxPerSecond();
	}

}
