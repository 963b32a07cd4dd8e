package io.github.grpcresilience.internal.admission;

import io.github.grpcresilience.status.Reason;

/**
 * One limit that a call has to pass. Safe for concurrent use; nobody waits in front of
 * it.
 */
interface Gate {

	/** What {@link #enter} answers if the call may pass. */
	long OPEN = -1;

	/**
	 * A call wants to pass.
	 * @return {@link #OPEN} if it may; otherwise after how many nanoseconds trying again
	 * makes sense, 0 or more
	 */
	long enter();

	/**
	 * A call that had passed was refused by another gate: as if it had never come.
	 */
	void undo();

	/**
	 * A call that had passed is over.
	 */
	void leave(Outcome outcome, long elapsedNanos);

	Reason reason();

	/**
	 * The limit of this moment, for what callers are told.
	 */
	String limit();

	/**
	 * What the limit is for.
	 */
	Scope scope();

	/** What a limit is for. */
	enum Scope {

		/** The calls of one method. */
		METHOD,

		/** All calls of a server. */
		SERVER

	}

}
