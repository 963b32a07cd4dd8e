package io.github.grpcresilience.internal.call;

import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.internal.method.ServedMethod;

/**
 * Says how a call is answered whose handler or interceptor threw. Safe for concurrent
 * use; never throws.
 */
@FunctionalInterface
public interface FailureAnswer {

	/**
	 * Turns what was thrown into an answer.
	 * @param thrown what was thrown
	 * @param call the call that failed
	 * @param method the method that was called
	 * @param headers what the caller sent
	 * @param trailers trailers to add to
	 * @return the status, not {@code OK}
	 */
	Status answer(Throwable thrown, CallRecord call, ServedMethod method, Metadata headers, Metadata trailers);

}
