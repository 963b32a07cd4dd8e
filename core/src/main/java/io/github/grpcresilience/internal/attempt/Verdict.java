package io.github.grpcresilience.internal.attempt;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;

/**
 * What a call does next. Immutable.
 *
 * @param kind what it does
 * @param nanos how long it waits first, in nanoseconds; zero for not at all
 * @param reason why there is no further attempt; {@code null} if there will be one, if
 * there is no need of one, or if the policy has no other answer to such a failure
 */
record Verdict(Kind kind, long nanos, @Nullable AttemptEnd reason) {

	/** The call ends, and nothing is said about further attempts. */
	static final Verdict END = new Verdict(Kind.END, 0, null);

	/** The attempts in flight go on. */
	static final Verdict KEEP_GOING = new Verdict(Kind.KEEP_GOING, 0, null);

	/** What a call can do. */
	enum Kind {

		/** The caller is told. */
		END,

		/** Another attempt begins; it was taken out of the budget. */
		AGAIN,

		/** The attempts in flight go on. */
		KEEP_GOING,

		/** They go on, and the next hedge comes later; it was taken out of the budget. */
		HEDGE_LATER

	}

	static Verdict end(AttemptEnd reason) {
		return new Verdict(Kind.END, 0, reason);
	}

	static Verdict again(long nanos) {
		return new Verdict(Kind.AGAIN, nanos, null);
	}

	/**
	 * The attempts in flight go on, and there will be none after them.
	 */
	static Verdict keepGoing(AttemptEnd reason) {
		return new Verdict(Kind.KEEP_GOING, 0, reason);
	}

	static Verdict hedgeLater(long nanos) {
		return new Verdict(Kind.HEDGE_LATER, nanos, null);
	}

	boolean ends() {
		return this.kind == Kind.END;
	}

	/**
	 * Whether callers are told that they shall make no further attempt either. Not where
	 * only this call's time, this client's gate, or the want of a connection was against
	 * it.
	 */
	boolean marks() {
		return ends() && this.reason != null && this.reason != AttemptEnd.DEADLINE && this.reason != AttemptEnd.CIRCUIT
				&& this.reason != AttemptEnd.NO_CONNECTION;
	}

}
