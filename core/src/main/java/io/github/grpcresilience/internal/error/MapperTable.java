package io.github.grpcresilience.internal.error;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;

/**
 * Finds the mapper of an exception: of several the one for the nearest class comes first.
 * Safe for concurrent use. The mappers are asked for when the first exception comes: they
 * may need what is not there yet when servers are set up.
 */
final class MapperTable {

	private final Supplier<? extends List<? extends ErrorMapper<?>>> mappers;

	/** Not a ClassValue, by which classes of the JDK would keep this table alive. */
	private final ConcurrentMap<Class<?>, List<ErrorMapper<?>>> nearestFirst = new ConcurrentHashMap<>();

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
		Class<?> type = thrown.getClass();
		List<ErrorMapper<?>> mappers = this.nearestFirst.get(type);
		if (mappers == null) {
			mappers = find(type); // outside of the map, as it may create beans
			this.nearestFirst.put(type, mappers);
		}
		for (ErrorMapper<?> mapper : mappers) {
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
