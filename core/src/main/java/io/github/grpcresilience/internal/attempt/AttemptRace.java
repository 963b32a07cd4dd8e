package io.github.grpcresilience.internal.attempt;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;

/**
 * The attempts of one call: which are in flight, which one the caller sees, and whether
 * more may come. State only; it runs no code of others.
 *
 * <p>
 * Owned by an {@link AttemptedCall}: every method is called under its monitor.
 */
final class AttemptRace<ReqT, RespT> {

	/** The attempt that was begun last, with the others behind it. */
	private Attempt<ReqT, RespT> latest;

	/** Those that were reserved included, those that found no connection not. */
	private int made = 1;

	/** Those that were reserved included. */
	private int inFlight = 1;

	/** Whether a server may have seen any of them. */
	private boolean anySent;

	/** Whether one has waited for a connection, and has failed for something else. */
	private boolean waitedInVain;

	/** How the last one ended that has failed while others could follow. */
	private @Nullable Failure<ReqT, RespT> failure;

	/** The one that the caller sees; absent before that is known. */
	private @Nullable Attempt<ReqT, RespT> winner;

	/** Set before the listener is told of the end, and by whoever tells it. */
	private boolean over;

	/** Why there are no further hedges, although there could be. */
	private @Nullable AttemptEnd stopped;

	/** Whether that was told already. */
	private boolean stopTold;

	/** What brings the next attempt; absent if nothing does. */
	private @Nullable Alarm alarm;

	AttemptRace(Attempt<ReqT, RespT> first) {
		this.latest = first;
	}

	int made() {
		return this.made;
	}

	int inFlight() {
		return this.inFlight;
	}

	@Nullable AttemptEnd stopped() {
		return this.stopped;
	}

	boolean isStopTold() {
		return this.stopTold;
	}

	@Nullable Attempt<ReqT, RespT> winner() {
		return this.winner;
	}

	/**
	 * The attempt whose state is that of the call.
	 */
	Attempt<ReqT, RespT> seen() {
		return (this.winner != null) ? this.winner : this.latest;
	}

	/**
	 * Whether it is still open which attempt the caller sees.
	 */
	boolean isOpen() {
		return this.winner == null && !this.over;
	}

	/**
	 * Whether the end of an attempt may be that of the call.
	 */
	boolean isOpenFor(Attempt<ReqT, RespT> attempt) {
		return !this.over && (this.winner == null || this.winner == attempt);
	}

	boolean isOver() {
		return this.over;
	}

	/**
	 * Takes the first step that is due, of the latest attempt or one behind it. Whoever
	 * takes it has to perform it once the lock is left.
	 * @return {@code null} if nothing is due, or other threads are at it
	 */
	@Nullable Attempt<ReqT, RespT> claim() {
		return claim(this.latest);
	}

	private @Nullable Attempt<ReqT, RespT> claim(@Nullable Attempt<ReqT, RespT> first) {
		Attempt<ReqT, RespT> attempt = first;
		while (attempt != null && !attempt.claim()) {
			attempt = attempt.previous();
		}
		return attempt;
	}

	/**
	 * Takes the step that is due after one that was performed.
	 * @param fed the attempt that it was performed for, of which this thread lets go if
	 * nothing is due there
	 */
	@Nullable Attempt<ReqT, RespT> claimAfter(Attempt<ReqT, RespT> fed) {
		return fed.advance() ? fed : claim(fed.previous());
	}

	/**
	 * Makes an attempt the one that the caller sees, while that is open.
	 */
	void win(Attempt<ReqT, RespT> attempt) {
		this.winner = attempt;
		attempt.cancelTimeouts();
		cancelAlarm();
		giveUpAllBut(attempt);
	}

	/**
	 * The call ends as an attempt did.
	 */
	void end(Attempt<ReqT, RespT> attempt) {
		this.over = true;
		win(attempt);
	}

	/**
	 * The call ends while no attempt is in flight.
	 */
	void end() {
		this.over = true;
		cancelAlarm();
	}

	/**
	 * Gives up the attempts in flight but one.
	 * @param kept the attempt that goes on; {@code null} for none
	 */
	void giveUpAllBut(@Nullable Attempt<ReqT, RespT> kept) {
		for (Attempt<ReqT, RespT> attempt = this.latest; attempt != null; attempt = attempt.previous()) {
			if (attempt != kept) {
				attempt.doom();
			}
		}
	}

	/**
	 * There are no further hedges.
	 * @param told whether that was told by now
	 */
	void stop(AttemptEnd reason, boolean told) {
		this.stopped = reason;
		this.stopTold |= told;
		cancelAlarm();
	}

	/**
	 * An attempt that was counted was not sent.
	 */
	void uncount() {
		this.made--;
	}

	/**
	 * An attempt has closed that a server may have seen.
	 */
	void sent() {
		this.anySent = true;
	}

	boolean isAnySent() {
		return this.anySent;
	}

	void waitedInVain() {
		this.waitedInVain = true;
	}

	boolean hasWaitedInVain() {
		return this.waitedInVain;
	}

	void fail(Failure<ReqT, RespT> failed) {
		this.failure = failed;
	}

	@Nullable Failure<ReqT, RespT> failure() {
		return this.failure;
	}

	/**
	 * The attempt in flight that was begun last.
	 */
	@Nullable Attempt<ReqT, RespT> newestInFlight() {
		Attempt<ReqT, RespT> attempt = this.latest;
		while (attempt != null && attempt.isClosed()) {
			attempt = attempt.previous();
		}
		return attempt;
	}

	/**
	 * Counts an attempt that will begin.
	 * @return attempts that were made before it and count
	 */
	int reserve() {
		this.inFlight++;
		return this.made++;
	}

	/**
	 * An attempt that was reserved begins.
	 * @param overlaps whether others may be in flight; else they need not be remembered
	 */
	void add(Attempt<ReqT, RespT> attempt, boolean overlaps) {
		if (!isOpen()) {
			attempt.doom();
		}
		if (overlaps) {
			attempt.follow(this.latest);
		}
		this.latest = attempt;
	}

	/**
	 * An attempt has ended.
	 */
	void left() {
		this.inFlight--;
	}

	/**
	 * Has something else bring the next attempt. What was to bring it before does not,
	 * even if it has gone off.
	 */
	void await(Alarm next) {
		cancelAlarm();
		this.alarm = next;
	}

	boolean isAwaited() {
		return this.alarm != null;
	}

	boolean isAwaited(Alarm expected) {
		return this.alarm == expected;
	}

	/**
	 * An alarm goes off.
	 * @return {@code false} if it is not the one that counts
	 */
	boolean rings(Alarm rung) {
		boolean current = this.alarm == rung;
		if (current) {
			this.alarm = null;
		}
		return current;
	}

	void cancelAlarm() {
		if (this.alarm != null) {
			this.alarm.cancel();
			this.alarm = null;
		}
	}

	/**
	 * Ends the call if it waits for another attempt.
	 * @return what it waited after; {@code null} if it does not wait
	 */
	@SuppressWarnings("unchecked") // an alarm belongs to one call
	@Nullable Wait<ReqT, RespT> endWait() {
		if (!(this.alarm instanceof Wait<?, ?> wait)) {
			return null;
		}
		end();
		return (Wait<ReqT, RespT>) wait;
	}

}
