package io.github.grpcresilience.method;

import java.util.function.UnaryOperator;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * The call that is being served, as its {@link Context} carries it to the work that it
 * begins. Safe for concurrent use.
 */
public interface ServedCall {

	/** Where the Context holds the call; absent outside of a call and in exempt ones. */
	Context.Key<ServedCall> KEY = Context.key("grpc-resilience-served-call");

	/**
	 * The method that is called.
	 * @return the method; {@code null} if this is no gRPC call, or if its policy has not
	 * been looked at
	 */
	default @Nullable KnownMethod method() {
		return null;
	}

	/**
	 * Whether the call has ended, in whatever way. grpc-java then cancels its Context
	 * even if the handler answered; only a cause tells that nobody waits any more.
	 * @return {@code true} once it has
	 */
	boolean hasEnded();

	/**
	 * Answers the call past all interceptors, where one of them broke the way out. The
	 * first answer wins.
	 * @param status the status
	 * @param trailers the trailers
	 */
	default void answer(Status status, Metadata trailers) {
	}

	/**
	 * Whether the call is a further attempt of its caller, which has made this call
	 * before.
	 * @return {@code true} if {@code grpc-previous-rpc-attempts} says so
	 */
	default boolean isRepeated() {
		return false;
	}

	/**
	 * Whether threads that work for the call are interrupted when it is cancelled.
	 * @return what the policy of its method says
	 */
	boolean isInterruptible();

	/**
	 * Asks to be told once the call is over; one listener a call. A call is over when its
	 * stream has ended, in whatever way, and none of the handler's callbacks is running
	 * any more. Only calls that know their {@link #method} tell.
	 * @param listener told once
	 */
	default void whenOver(OverListener listener) {
	}

	/**
	 * Prepares the call's Context for listeners that come and go. Each time the last one
	 * goes, grpc-java leaves an entry behind at the parent of the Context (decision 10);
	 * this makes one stay. Cheap when repeated.
	 */
	void anchor();

	/**
	 * The Context in which work of the call goes on on other threads, kept as long as the
	 * call is.
	 * @param begun Context of what begins the work
	 * @param factory makes it, once for each Context that begins work
	 * @return what was made; {@code begun} where a call keeps none, or no more of them
	 */
	default Context workContext(Context begun, UnaryOperator<Context> factory) {
		return begun;
	}

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
