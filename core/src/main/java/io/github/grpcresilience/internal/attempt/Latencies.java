package io.github.grpcresilience.internal.attempt;

/**
 * What the calls of one method have taken lately. Safe for concurrent use.
 */
public interface Latencies {

	/**
	 * Notes a call that was answered.
	 * @param nanos how long it took, in nanoseconds
	 */
	void record(long nanos);

	/**
	 * The time within which a share of the calls was answered.
	 * @return nanoseconds, positive; {@code Long.MAX_VALUE} while too few calls are known
	 */
	long percentileNanos();

	/**
	 * Makes what a method needs.
	 */
	@FunctionalInterface
	interface Factory {

		/**
		 * Makes the latencies of one method.
		 * @param percentile the share of the calls, above 0 and below 100
		 * @return the latencies
		 */
		Latencies create(double percentile);

	}

}
