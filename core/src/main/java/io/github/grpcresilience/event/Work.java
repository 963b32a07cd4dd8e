package io.github.grpcresilience.event;

/**
 * What a call begins, and what has to stop when nobody waits for the call any more.
 */
public enum Work {

	/** An SQL statement, or the fetching of its result. */
	STATEMENT,

	/** A task in an executor, or a handler whose thread may be interrupted. */
	TASK,

	/** An HTTP request with its response. */
	HTTP_EXCHANGE,

	/** A subscription to a Reactor publisher. */
	SUBSCRIPTION

}
