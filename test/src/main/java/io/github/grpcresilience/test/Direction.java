package io.github.grpcresilience.test;

/**
 * Which way bytes go.
 */
public enum Direction {

	/** From the client to the server. */
	TO_SERVER,

	/** From the server to the client. */
	TO_CLIENT,

	/** Both ways. */
	BOTH;

	boolean includes(Direction other) {
		return this == other || this == BOTH;
	}

}
