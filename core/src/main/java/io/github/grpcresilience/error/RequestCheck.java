package io.github.grpcresilience.error;

import org.jspecify.annotations.Nullable;

/**
 * Checks the requests of the calls that are served. Must be safe for concurrent use.
 */
@FunctionalInterface
public interface RequestCheck {

	/**
	 * Checks one request message, of any call type. Called on the call's executor, before
	 * the handler sees the message; must not block.
	 * @param request the message
	 * @return what the caller is told in place of an answer; {@code null} if there is
	 * nothing wrong with the request
	 * @throws RuntimeException if the check itself is broken, which is no fault of the
	 * caller
	 */
	@Nullable GrpcError check(Object request);

	/**
	 * Does once what the first check of a type would do, so that no call pays for it from
	 * its budget. Called when a server starts, for each method; may take long.
	 * @param prototype an empty request message of the type
	 * @throws RuntimeException if messages of the type can never be checked
	 */
	default void prepare(Object prototype) {
	}

}
