package io.github.grpcresilience.call;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.method.KnownMethod;

/**
 * The gRPC call that is being served, as its {@link Context} carries it from interceptor
 * to interceptor. What the call begins finds its record by the {@link CallScope} instead.
 * Safe for concurrent use.
 */
public interface ServedCall {

	/** Where the Context holds the call; absent outside of a call and in exempt ones. */
	Context.Key<ServedCall> KEY = Context.key("grpc-resilience-served-call");

	/**
	 * What is known of the call.
	 * @return its record
	 */
	CallRecord record();

	/**
	 * The method that is called.
	 * @return the method; {@code null} if its policy has not been looked at
	 */
	default @Nullable KnownMethod method() {
		return record().method();
	}

	/**
	 * Whether the stream of the call has ended, in whatever way.
	 * @return {@code true} once it has
	 */
	boolean hasEnded();

	/**
	 * Answers the call past all interceptors, where one of them broke the way out. The
	 * first answer wins.
	 * @param status the status
	 * @param trailers the trailers
	 */
	void answer(Status status, Metadata trailers);

	/**
	 * Prepares the call's Context for listeners that come and go. Each time the last one
	 * goes, grpc-java leaves an entry behind at the parent of the Context (decision 10);
	 * this makes one stay. Cheap when repeated.
	 */
	void anchor();

	/**
	 * Asks to be told once the call is over; one listener a call. A call is over when its
	 * stream has ended, in whatever way, and none of the handler's callbacks is running
	 * any more. Only calls that know their {@link #method} tell.
	 * @param listener told once
	 */
	void whenOver(OverListener listener);

	/**
	 * Is told that a call is over.
	 */
	@FunctionalInterface
	interface OverListener {

		/**
		 * The call is over. Called on the call's own thread or on a transport thread:
		 * must not block.
		 * @param code how its stream ended
		 * @param elapsedNanos nanoseconds from its arrival to the end of its stream
		 */
		void over(Status.Code code, long elapsedNanos);

	}

}
