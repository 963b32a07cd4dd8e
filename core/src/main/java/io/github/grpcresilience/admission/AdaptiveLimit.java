package io.github.grpcresilience.admission;

/**
 * A limit on calls that run at once which follows from how long they take. Safe for
 * concurrent use.
 */
public interface AdaptiveLimit {

	/**
	 * Most calls that may run at once by now.
	 * @return the number, at least 1
	 */
	int limit();

	/**
	 * A call ended that says something about how busy the server is. Called on transport
	 * threads: must not block.
	 * @param tookNanos nanoseconds from the call's arrival to its end, positive
	 * @param inUse calls that ran when it ended, itself included
	 * @param overloaded whether it ended for want of time or resources, so that
	 * {@code tookNanos} is less than it would have taken
	 */
	void ended(long tookNanos, int inUse, boolean overloaded);

}
