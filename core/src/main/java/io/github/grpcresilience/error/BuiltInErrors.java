package io.github.grpcresilience.error;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * What the exceptions of one library mean to callers, where the application does not say
 * it. Asked after every {@link ErrorMapper} of the application; sees the outermost
 * exception only, and those that it stands for. Immutable.
 */
@FunctionalInterface
public interface BuiltInErrors {

	/**
	 * Mappers of the library's exceptions.
	 * @return the mappers, of which each knows another class
	 */
	List<ErrorMapper<?>> mappers();

	/**
	 * What an exception stands for that says nothing itself, such as the one that a
	 * failed commit is wrapped into.
	 * @param thrown the exception
	 * @return the exception that says it; {@code null} if {@code thrown} is no such one
	 */
	default @Nullable Throwable unwrap(Throwable thrown) {
		return null;
	}

}
