package io.github.grpcresilience.error;

import java.util.function.Function;

import org.jspecify.annotations.Nullable;

/**
 * Says what an exception of the application means to its callers. Of several the one for
 * the nearest class of an exception is asked first; with Spring each is a bean. Must be
 * safe for concurrent use; called on whatever thread a call fails on, which it must not
 * block.
 *
 * @param <E> the exceptions that it knows
 */
public interface ErrorMapper<E extends Throwable> {

	/**
	 * Class of the exceptions that it knows, subclasses included.
	 * @return the class
	 */
	Class<E> type();

	/**
	 * Maps one exception.
	 * @param thrown what was thrown, or a cause of it
	 * @return the error, best made by {@link GrpcError#answer}; {@code null} if the next
	 * mapper shall be asked
	 */
	@Nullable GrpcError map(E thrown);

	/**
	 * A mapper of one class.
	 * @param <E> the exceptions
	 * @param type their class
	 * @param mapping what they mean; {@code null} if the next mapper shall be asked
	 * @return the mapper
	 */
	static <E extends Throwable> ErrorMapper<E> of(Class<E> type, Function<? super E, @Nullable GrpcError> mapping) {
		return new ErrorMapper<>() {

			@Override
			public Class<E> type() {
				return type;
			}

			@Override
			public @Nullable GrpcError map(E thrown) {
				return mapping.apply(thrown);
			}

		};
	}

}
