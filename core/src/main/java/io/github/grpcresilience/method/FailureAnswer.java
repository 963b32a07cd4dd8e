package io.github.grpcresilience.method;

import io.grpc.Metadata;
import io.grpc.Status;

/**
 * Says how a call is answered whose handler or interceptor threw. Safe for concurrent
 * use; never throws.
 */
@FunctionalInterface
public interface FailureAnswer {

	/**
	 * Turns what was thrown into an answer.
	 * @param thrown what was thrown
	 * @param method the method that was called
	 * @param headers what the caller sent
	 * @param trailers trailers to add to
	 * @return the status, not {@code OK}
	 */
	Status answer(Throwable thrown, KnownMethod method, Metadata headers, Metadata trailers);

}
