package io.github.grpcresilience.policy;

/**
 * Whether decisions take effect.
 */
public enum Mode {

	/** Decisions take effect. */
	ENFORCE,

	/** Decisions are made and counted; no call is changed. */
	OBSERVE

}
