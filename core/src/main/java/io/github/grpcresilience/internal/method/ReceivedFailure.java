package io.github.grpcresilience.internal.method;

import java.util.concurrent.ConcurrentMap;

import com.google.common.collect.MapMaker;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.status.Causes;
import io.github.grpcresilience.internal.status.PushBack;

/**
 * Says of a status that a call which this application made ended with it. So a handler
 * that lets such a failure through can be told from one that fails itself. The status is
 * known by its identity and looks as it would without us, to meters, spans and handlers
 * (decision 27). Immutable.
 */
public final class ReceivedFailure {

	/** Statuses that are in use, each an instance of its own. */
	private static final ConcurrentMap<Status, ReceivedFailure> MARKS = new MapMaker().weakKeys().makeMap();

	private final CalledMethod method;

	private final boolean attemptsEnded;

	private ReceivedFailure(CalledMethod method, boolean attemptsEnded) {
		this.method = method;
		this.attemptsEnded = attemptsEnded;
	}

	/**
	 * Marks the status of a call that failed.
	 * @param status the status
	 * @param method the method that was called
	 * @param trailers the trailers that came with it
	 * @return an equal status, marked
	 */
	public static Status mark(Status status, CalledMethod method, Metadata trailers) {
		Status own = copy(status);
		MARKS.put(own, new ReceivedFailure(method, PushBack.isStop(trailers)));
		return own;
	}

	/**
	 * Statuses may be constants that many share.
	 */
	private static Status copy(Status status) {
		Throwable cause = status.getCause();
		return status.withCause(new Exception(null, null, false, false) {
		}).withCause(cause);
	}

	/**
	 * Whether an exception comes of a failed call that shall not be attempted again.
	 * @param thrown the exception
	 * @return {@code true} if such a failure is in its chain of causes
	 */
	public static boolean endsAttempts(@Nullable Throwable thrown) {
		for (Throwable cause : Causes.of(thrown)) {
			Metadata trailers = Causes.trailersOf(cause);
			Status status = Causes.statusOf(cause);
			if ((status != null && endsAttempts(status)) || (trailers != null && PushBack.isStop(trailers))) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Whether a status is that of a failed call which shall not be attempted again.
	 * @param status the status
	 * @return {@code false} if no call of this application ended with it
	 */
	public static boolean endsAttempts(Status status) {
		ReceivedFailure mark = find(status);
		return mark != null && mark.attemptsEnded;
	}

	/**
	 * Finds the mark of a status.
	 * @param status the status
	 * @return the mark; {@code null} if no call of this application ended with it
	 */
	public static @Nullable ReceivedFailure find(Status status) {
		return MARKS.get(status);
	}

	/**
	 * The method that was called.
	 * @return the method, on the client's side
	 */
	public CalledMethod method() {
		return this.method;
	}

}
