package io.github.grpcresilience.internal.attempt;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.time.Timeout;

/**
 * What brings the next attempt of a call, after a time. The call's {@link AttemptRace}
 * knows the one that counts; any other does nothing, even if it has gone off.
 *
 * <p>
 * Set and cancelled under the monitor of the call; rings outside of it, on the executor
 * that begins attempts, since interceptors of the application may block.
 */
abstract sealed class Alarm implements Runnable permits Wait, NextHedge {

	/** Guarded by the monitor of the call; absent until the alarm is set. */
	private @Nullable Timeout timeout;

	void set(long nanos) {
		this.timeout = client().timer().schedule(nanos, this);
	}

	void cancel() {
		if (this.timeout != null) {
			this.timeout.cancel();
		}
	}

	@Override
	public void run() {
		client().executor().execute(this::ring);
	}

	abstract ClientAttempts client();

	/**
	 * The time of the next attempt has come.
	 */
	abstract void ring();

}
