package io.github.grpcresilience.internal.policy;

/**
 * Which calls a value is for that stands in the section of a side.
 */
enum SectionScope {

	/** All that no policy says otherwise of. */
	ALL,

	/**
	 * Unary ones only. Values that impose a deadline are; how a deadline is handled
	 * applies wherever there is one.
	 */
	UNARY,

	/** All together. Methods do not inherit it. */
	TOTAL

}
