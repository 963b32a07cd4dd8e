package io.github.grpcresilience.admission;

/**
 * Makes adaptive limits. Safe for concurrent use.
 */
@FunctionalInterface
public interface AdaptiveLimits {

	/**
	 * Makes the limit of one method, or of a server as a whole.
	 * @param ceiling the limit never exceeds it, at least 1; {@code Integer.MAX_VALUE} if
	 * nobody set one
	 * @return the limit
	 */
	AdaptiveLimit create(int ceiling);

}
