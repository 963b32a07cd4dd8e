package io.github.grpcresilience.internal.policy;

/**
 * The side of a call that a policy or a count is about.
 */
public enum Side {

	/** Calls that this application serves. */
	SERVER,

	/** Calls that this application makes. */
	CLIENT

}
