package io.github.grpcresilience.status;

/**
 * Reasons that the framework itself puts into an {@code ErrorInfo}; the names are what
 * stands on the wire (AIP-193).
 */
public enum Reason {

	/** The call came without a deadline, and the policy asks for one. */
	DEADLINE_REQUIRED,

	/** The call's deadline ended before its work did. */
	DEADLINE_EXCEEDED,

	/** Nothing was left of the inherited budget, so the call was not sent. */
	BUDGET_EXHAUSTED,

	/** Too many calls run at once. */
	CONCURRENCY_LIMIT,

	/** Too many calls came within a short time. */
	RATE_LIMIT,

	/** What the call needs has failed too often of late, so it was not sent. */
	CIRCUIT_OPEN,

	/** The server shuts down. */
	DRAINING,

	/** The work was shared with another call, which began it and has ended. */
	SHARED_WORK_ENDED,

	/** The stream's reader left too much unread. */
	SLOW_CONSUMER,

	/** Something failed that callers can do nothing about. */
	INTERNAL

}
