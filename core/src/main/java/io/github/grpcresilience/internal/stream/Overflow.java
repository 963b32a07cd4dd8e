package io.github.grpcresilience.internal.stream;

/**
 * What happens to a message that finds the buffer full.
 */
public enum Overflow {

	/** It waits. */
	BLOCK,

	/** The oldest one gives way. */
	DROP_OLDEST,

	/** The stream fails. */
	FAIL

}
