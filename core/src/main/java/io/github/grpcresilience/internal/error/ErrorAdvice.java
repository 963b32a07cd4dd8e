package io.github.grpcresilience.internal.error;

import io.grpc.ServerCall;

/**
 * Exception handlers that an application has written for its framework, which win for
 * what they map. Safe for concurrent use.
 */
@FunctionalInterface
public interface ErrorAdvice {

	/** Maps nothing. */
	ErrorAdvice NONE = (thrown, call) -> false;

	/**
	 * Closes a call if it maps what was thrown.
	 * @param thrown what was thrown
	 * @param call the call, which is open
	 * @return whether the call was closed
	 */
	boolean close(Throwable thrown, ServerCall<?, ?> call);

}
