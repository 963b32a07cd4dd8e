package io.github.grpcresilience.method;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Marks a status as that of a call which this application made: it stands in front of the
 * status's cause, which is never sent. So a handler that lets such a failure through can
 * be told from one that fails itself; and its stack trace names the call. Immutable.
 */
public final class ReceivedFailure extends Exception {

	private final transient KnownMethod method;

	private ReceivedFailure(KnownMethod method, @Nullable Throwable cause) {
		super(null, cause, false, false);
		this.method = method;
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
	 * @return the same status, marked
	 */
	public static Status mark(Status status, KnownMethod method) {
		return status.withCause(new ReceivedFailure(method, status.getCause()));
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
