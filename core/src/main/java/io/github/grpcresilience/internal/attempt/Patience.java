package io.github.grpcresilience.internal.attempt;

/**
 * How an attempt bears that it is not sent yet.
 */
enum Patience {

	/** Its timeout, if it is unary, is its deadline, from when it is made. */
	NONE,

	/** Its timeout begins when it is sent: one before it was too short for that. */
	UNTIL_SENT,

	/** The same, and it waits a while for a connection: one before it found none. */
	UNTIL_READY

}
