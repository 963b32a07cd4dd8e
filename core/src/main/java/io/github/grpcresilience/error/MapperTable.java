package io.github.grpcresilience.error;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

/**
 * Finds the mapper of an exception: of several the one for the nearest class comes first.
 * Safe for concurrent use. The mappers are asked for when the first exception comes: they
 * may need what is not there yet when servers are set up.
 */
final class MapperTable {

	private final Supplier<? extends List<? extends ErrorMapper<?>>> mappers;

	/** Does not keep the classes of an application alive. */
	private final ClassValue<List<ErrorMapper<?>>> nearestFirst = new ClassValue<>() {

		@Override
		protected List<ErrorMapper<?>> computeValue(Class<?> type) {
			return find(type);
		}

	};

	MapperTable(Supplier<? extends List<? extends ErrorMapper<?>>> mappers) {
		this.mappers = mappers;
	}

	private List<ErrorMapper<?>> find(Class<?> type) {
		List<ErrorMapper<?>> found = new ArrayList<>();
		for (Class<?> at = type; at != null; at = at.getSuperclass()) {
			for (ErrorMapper<?> mapper : this.mappers.get()) {
				if (mapper.type() == at) {
					found.add(mapper);
				}
			}
		}
		return found;
	}

	/**
	 * Maps one exception, whatever its causes are.
	 * @return the error; {@code null} if no mapper knows it
	 */
	@Nullable GrpcError map(Throwable thrown) {
		for (ErrorMapper<?> mapper : this.nearestFirst.get(thrown.getClass())) {
			GrpcError error = map(mapper, thrown);
			if (error != null) {
				return error;
			}
		}
		return null;
	}

	private static <E extends Throwable> @Nullable GrpcError map(ErrorMapper<E> mapper, Throwable thrown) {
		return mapper.map(mapper.type().cast(thrown));
	}

}
