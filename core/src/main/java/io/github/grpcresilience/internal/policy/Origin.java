package io.github.grpcresilience.internal.policy;

/**
 * Where a value was written. Immutable.
 *
 * @param property full name of the property that holds the value, such as
 * {@code grpc.resilience.server.deadline.max}
 * @param location file, line and column, or another description of the source;
 * {@code built-in} for a value that nobody set
 */
public record Origin(String property, String location) {

	private static final String BUILT_IN = "built-in";

	/**
	 * Origin of a value that nobody set.
	 * @param property name of the property that would change the value
	 * @return the origin
	 */
	public static Origin builtIn(String property) {
		return new Origin(property, BUILT_IN);
	}

	/**
	 * Whether nobody set the value.
	 * @return {@code true} for a built-in value
	 */
	public boolean isBuiltIn() {
		return BUILT_IN.equals(this.location);
	}

}
