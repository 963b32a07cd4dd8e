package io.github.grpcresilience.event;

/**
 * What became of work that went on although its call had ended.
 */
public enum WorkFate {

	/** It did not begin. */
	REFUSED,

	/** It was told to stop, when the grace for what cleans up was over. */
	STOPPED,

	/** It left the queue in which it waited for its turn. */
	DROPPED,

	/** A transaction was committed. */
	COMMITTED,

	/** A transaction was rolled back in place of its commit. */
	ROLLED_BACK

}
