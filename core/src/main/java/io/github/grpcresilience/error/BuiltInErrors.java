package io.github.grpcresilience.error;

import java.util.List;

/**
 * Mappers that come with the library, for exceptions of one other library. They are asked
 * after the application's own, and only about what was thrown itself, not about its
 * causes.
 */
@FunctionalInterface
public interface BuiltInErrors {

	/**
	 * The mappers.
	 * @return the mappers, in no order
	 */
	List<ErrorMapper<?>> mappers();

}
