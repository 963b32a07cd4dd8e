package io.github.grpcresilience.internal.policy;

/**
 * Part of a budget that is held back: a fraction of it, kept between two bounds.
 * Immutable.
 *
 * @param fraction share of the budget, 0 to 1
 * @param minNanos least that is held back, in nanoseconds; zero for no lower bound
 * @param maxNanos most that is held back, in nanoseconds; not below {@code minNanos}
 * @param ceiling share of the budget that is never exceeded, 0 to 1; it wins over
 * {@code minNanos}, so that a small budget is not used up by the allowance
 */
public record Allowance(double fraction, long minNanos, long maxNanos, double ceiling) {

	/**
	 * Checks the ranges.
	 * @throws IllegalArgumentException if a value is out of its range
	 */
	public Allowance {
		if (!(fraction >= 0 && fraction <= 1 && ceiling >= 0 && ceiling <= 1)) {
			throw new IllegalArgumentException("fraction " + fraction + " and ceiling " + ceiling + " must be 0 to 1");
		}
		if (minNanos < 0 || maxNanos < minNanos) {
			throw new IllegalArgumentException("must be 0 <= min " + minNanos + " <= max " + maxNanos);
		}
	}

	/**
	 * What is held back of a budget.
	 * @param budgetNanos the budget in nanoseconds; zero or less gives zero
	 * @return nanoseconds, 0 to {@code ceiling × budgetNanos}
	 */
	public long ofNanos(long budgetNanos) {
		if (budgetNanos <= 0) {
			return 0;
		}
		long share = (long) (budgetNanos * this.fraction);
		long bounded = Math.max(this.minNanos, Math.min(this.maxNanos, share));
		return Math.min(bounded, (long) (budgetNanos * this.ceiling));
	}

}
