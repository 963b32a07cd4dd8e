package io.github.grpcresilience.error;

import org.jspecify.annotations.Nullable;

/**
 * Looks at request messages before their handler sees them. Safe for concurrent use;
 * called on the call's executor, once a message.
 */
@FunctionalInterface
public interface RequestCheck {

	/**
	 * Looks at one message.
	 * @param request the message
	 * @return what is wrong with it; {@code null} if nothing is
	 */
	@Nullable GrpcError check(Object request);

}
