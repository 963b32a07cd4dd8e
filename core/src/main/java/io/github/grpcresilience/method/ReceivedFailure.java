package io.github.grpcresilience.method;

import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.status.Causes;
import io.github.grpcresilience.status.PushBack;

/**
 * Marks a status as that of a call which this application made: it stands in front of the
 * status's cause, which is never sent. So a handler that lets such a failure through can
 * be told from one that fails itself; and its stack trace names the call. Immutable.
 */
public final class ReceivedFailure extends Exception {

	private final transient KnownMethod method;

	private final boolean attemptsEnded;

	private ReceivedFailure(KnownMethod method, boolean attemptsEnded, @Nullable Throwable cause) {
		super(null, cause, false, false);
		this.method = method;
		this.attemptsEnded = attemptsEnded;
	}

	/**
	 * Names the call. Made when somebody reads it: failures may come by the thousand.
	 */
	@Override
	public String getMessage() {
		return "in a call to " + this.method.name() + " by client " + this.method.client();
	}

	/**
	 * Marks the status of a call that failed.
	 * @param status the status
	 * @param method the method that was called
	 * @param trailers the trailers that came with it
	 * @return the same status, marked
	 */
	public static Status mark(Status status, KnownMethod method, Metadata trailers) {
		return status.withCause(new ReceivedFailure(method, PushBack.isStop(trailers), status.getCause()));
	}

	/**
	 * Whether an exception comes of a failed call that shall not be attempted again.
	 * @param thrown the exception
	 * @return {@code true} if such a failure is in its chain of causes
	 */
	public static boolean endsAttempts(@Nullable Throwable thrown) {
		for (Throwable cause : Causes.of(thrown)) {
			Metadata trailers = Causes.trailersOf(cause);
			if ((cause instanceof ReceivedFailure failure && failure.attemptsEnded)
					|| (trailers != null && PushBack.isStop(trailers))) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Finds the mark of a status.
	 * @param status the status
	 * @return the mark; {@code null} if no call of this application ended with it
	 */
	public static @Nullable ReceivedFailure find(Status status) {
		return (status.getCause() instanceof ReceivedFailure mark) ? mark : null;
	}

	/**
	 * Through Java's serialization goes what it says.
	 */
	@SuppressWarnings("UnusedMethod") // serialization calls it
	private Object writeReplace() {
		return new Exception(getMessage(), getCause());
	}

	/**
	 * The method that was called.
	 * @return the method, on the client's side
	 */
	public KnownMethod method() {
		return this.method;
	}

}
