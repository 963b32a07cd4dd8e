package io.github.grpcresilience.policy;

/**
 * What happens to a call that comes without a deadline.
 */
public enum MissingDeadline {

	/** The policy's default is applied. */
	DEFAULT,

	/** The call fails with INVALID_ARGUMENT, reason {@code DEADLINE_REQUIRED}. */
	REJECT,

	/** The call runs without a deadline. */
	ALLOW

}
