package io.github.grpcresilience.internal.call;

import java.util.concurrent.TimeUnit;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/**
 * What a piece of work may still do after the end of its call, so that what cleans up
 * gets through and what goes on does not: a number of steps and an amount of time; then
 * one refusal, as the signal to whoever goes on; then the same once more, for what cleans
 * up after the signal; then nothing (decision 22). Safe for concurrent use.
 */
public final class Grace {

	/** Work that is younger than this when its call ends may be cleaning up. */
	public static final long YOUNG_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

	/** Longest that the steps of a stage take together. */
	public static final long STAGE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

	/** Longest that a stage waits for connections beside its steps. */
	public static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

	/** Most steps of a stage. */
	public static final int STEPS = 64;

	@GuardedBy("this")
	private boolean signalled;

	@GuardedBy("this")
	private boolean renewed;

	@GuardedBy("this")
	private int steps;

	@GuardedBy("this")
	private long tookNanos;

	@GuardedBy("this")
	private long waitedNanos;

	/**
	 * Asks for leave to take a step.
	 * @return how long it may take, in nanoseconds; 0 if it is refused
	 */
	public synchronized long begin() {
		if (this.steps < STEPS && this.tookNanos < STAGE_NANOS) {
			this.steps++;
			return STAGE_NANOS - this.tookNanos;
		}
		signal();
		return 0;
	}

	/**
	 * Asks for leave to go on with a step that was begun before.
	 * @return how long it may take, in nanoseconds; 0 if it is refused
	 */
	public synchronized long goOn() {
		if (this.tookNanos < STAGE_NANOS) {
			return STAGE_NANOS - this.tookNanos;
		}
		signal();
		return 0;
	}

	/**
	 * A step has ended.
	 * @param nanos how long it took after the end of the call
	 * @param stopped whether it was stopped, which is a signal as well
	 */
	public synchronized void end(long nanos, boolean stopped) {
		this.tookNanos += Math.max(0, nanos);
		if (stopped) {
			this.tookNanos = STAGE_NANOS;
			signal();
		}
	}

	/**
	 * Whether every further step will be refused.
	 * @return {@code false} as long as there may be one, and after the signal
	 */
	public synchronized boolean isUsedUp() {
		return this.signalled && (this.steps >= STEPS || this.tookNanos >= STAGE_NANOS);
	}

	/**
	 * Longest time to wait for a connection.
	 * @return nanoseconds; 0 for none
	 */
	public synchronized long waitNanos() {
		if (this.waitedNanos < WAIT_NANOS) {
			return WAIT_NANOS - this.waitedNanos;
		}
		signal();
		return 0;
	}

	/**
	 * A connection was waited for.
	 * @param nanos how long that took
	 */
	public synchronized void waited(long nanos) {
		this.waitedNanos += Math.max(0, nanos);
	}

	@GuardedBy("this")
	private void signal() {
		if (!this.signalled) {
			this.signalled = true;
			clear();
		}
	}

	@GuardedBy("this")
	private void clear() {
		this.steps = 0;
		this.tookNanos = 0;
		this.waitedNanos = 0;
	}

	/**
	 * Begins anew, once: for what follows a commit that was let through.
	 */
	public synchronized void renew() {
		if (!this.renewed) {
			this.renewed = true;
			this.signalled = false;
			clear();
		}
	}

}
