package io.github.grpcresilience.call;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.status.Causes;

/**
 * Says that work stopped because a call ended, and which one: it stands among the causes
 * of what the work failed with. Others may have waited for the same work, and to them
 * nothing ended. Immutable.
 */
public final class CallEndedException extends Exception {

	private final transient @Nullable CallRecord call;

	/**
	 * Creates the cause.
	 * @param call the call that ended
	 * @param cause what the work itself failed with; {@code null} if it never began
	 */
	public CallEndedException(CallRecord call, @Nullable Throwable cause) {
		super("the call that began the work has ended: " + call.subject(), cause, false, false);
		this.call = call;
	}

	/**
	 * Whether something failed because of the end of a call that somebody else made.
	 * @param thrown what was thrown
	 * @param own the call that asks; {@code null} for none
	 * @return {@code true} if another call's end is among the causes
	 */
	public static boolean isOfAnother(@Nullable Throwable thrown, @Nullable CallRecord own) {
		for (Throwable cause : Causes.of(thrown)) {
			if (cause instanceof CallEndedException ended) {
				return ended.call != null && ended.call != own && !ended.call.isDetached();
			}
		}
		return false;
	}

}
