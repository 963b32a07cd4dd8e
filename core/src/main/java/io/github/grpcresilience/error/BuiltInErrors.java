package io.github.grpcresilience.error;

import java.util.List;

/**
 * What the exceptions of one library mean to callers, where the application does not say
 * it. Asked after every {@link ErrorMapper} of the application; sees the outermost
 * exception only. Immutable.
 */
@FunctionalInterface
public interface BuiltInErrors {

	/**
	 * Mappers of the library's exceptions.
	 * @return the mappers, of which each knows another class
	 */
	List<ErrorMapper<?>> mappers();

}
