package io.github.grpcresilience.internal.status;

import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

/**
 * Reads chains of causes, circular and broken ones included, on which
 * {@link Status#fromThrowable} never returns.
 */
public final class Causes {

	/** Deeper chains of causes than any application builds. */
	private static final int MOST_CAUSES = 100;

	private Causes() {
	}

	/**
	 * An exception and its causes.
	 * @param thrown the exception
	 * @return the chain, outermost first; empty without an exception
	 */
	public static List<Throwable> of(@Nullable Throwable thrown) {
		Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
		List<Throwable> chain = new ArrayList<>();
		Throwable cause = thrown;
		while (cause != null && chain.size() < MOST_CAUSES && seen.add(cause)) {
			chain.add(cause);
			cause = causeOf(cause);
		}
		return chain;
	}

	/**
	 * The cause of an exception.
	 * @param thrown the exception
	 * @return its cause; {@code null} if it has none, or one that cannot be read
	 */
	public static @Nullable Throwable causeOf(Throwable thrown) {
		try {
			return thrown.getCause();
		}
		catch (RuntimeException ex) {
			return null; // a broken exception has no cause that anybody could read
		}
	}

	/**
	 * The status that an exception itself holds.
	 * @param thrown the exception
	 * @return the status; {@code null} if it is of no kind that holds one
	 */
	public static @Nullable Status statusOf(Throwable thrown) {
		if (thrown instanceof StatusRuntimeException failure) {
			return failure.getStatus();
		}
		return (thrown instanceof StatusException failure) ? failure.getStatus() : null;
	}

	/**
	 * The trailers that an exception itself holds.
	 * @param thrown the exception
	 * @return the trailers; {@code null} if it holds none
	 */
	public static @Nullable Metadata trailersOf(Throwable thrown) {
		if (thrown instanceof StatusRuntimeException failure) {
			return failure.getTrailers();
		}
		return (thrown instanceof StatusException failure) ? failure.getTrailers() : null;
	}

	/**
	 * Whether something fails because its thread was interrupted.
	 * @param thrown the exception; {@code null} for none
	 * @return whether it, or one of its causes, says so
	 */
	public static boolean isInterruption(@Nullable Throwable thrown) {
		for (Throwable cause : of(thrown)) {
			// A timeout of a socket is an InterruptedIOException too.
			if (cause instanceof InterruptedException || cause instanceof ClosedByInterruptException
					|| cause.getClass() == InterruptedIOException.class) {
				return true;
			}
		}
		return false;
	}

	/**
	 * The first of a chain that holds a status.
	 * @param thrown the exception
	 * @return the exception or one of its causes; {@code null} if none holds a status
	 */
	public static @Nullable Throwable findStatus(Throwable thrown) {
		for (Throwable cause : of(thrown)) {
			if (statusOf(cause) != null) {
				return cause;
			}
		}
		return null;
	}

}
