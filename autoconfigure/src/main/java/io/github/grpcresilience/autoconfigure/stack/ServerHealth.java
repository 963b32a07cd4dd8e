package io.github.grpcresilience.autoconfigure.stack;

/**
 * What clients ask whether the servers of this application serve.
 */
@FunctionalInterface
interface ServerHealth {

	/**
	 * Says from now on that they do not.
	 */
	void notServing();

}
