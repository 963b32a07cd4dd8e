package io.github.grpcresilience.event;

/**
 * Why a failed call was not attempted again although its code would have allowed it.
 */
public enum AttemptEnd {

	/** All attempts that the policy allows were made. */
	MAX_ATTEMPTS,

	/** The client's budget for further attempts was used up. */
	BUDGET,

	/** The server asked for no further attempt. */
	PUSH_BACK,

	/** The call belongs to a repeated attempt, whose caller goes on attempting. */
	CHAIN,

	/** The circuit breaker, or a limit of the client's own, lets none through in time. */
	CIRCUIT,

	/** Not enough was left of the call's deadline for the wait. */
	DEADLINE,

	/** The channel has a retry policy of its own, which was used up. */
	CHANNEL,

	/** There was no connection, and none came while another attempt waited for one. */
	NO_CONNECTION

}
