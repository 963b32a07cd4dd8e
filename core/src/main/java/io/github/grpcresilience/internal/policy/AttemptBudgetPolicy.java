package io.github.grpcresilience.internal.policy;

/**
 * How many attempts one client may add to its calls, retries and hedges together.
 * Immutable.
 *
 * @param ratio attempts that each call adds to the budget, 0 or more
 * @param minPerSecond attempts that each second adds, 0 or more
 * @param windowNanos how long what was added may be kept, in nanoseconds, positive
 */
public record AttemptBudgetPolicy(double ratio, double minPerSecond, long windowNanos) {
}
