package io.github.grpcresilience.internal.time;

import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

/**
 * Something that happens once at a time, unless it is cancelled first. Safe for
 * concurrent use: of expiry and cancellation exactly one wins.
 */
public final class Timeout extends AtomicReference<@Nullable Runnable> {

	private static final long serialVersionUID = 1L;

	/** Nanoseconds since the timer's start; written before the timeout is published. */
	final long at;

	/** Next in the timer's stack; written before publication, then by its thread only. */
	transient @Nullable Timeout next;

	Timeout(long at, Runnable action) {
		super(action);
		this.at = at;
	}

	/**
	 * Prevents the action, and lets go of it.
	 * @return {@code true} if it will never run; {@code false} if it has been handed over
	 * or was cancelled before
	 */
	public boolean cancel() {
		return get() != null && getAndSet(null) != null; // often asked twice
	}

	boolean isCancelled() {
		return get() == null;
	}

}
