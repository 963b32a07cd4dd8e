package io.github.grpcresilience.error;

import java.util.List;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * What the exceptions of libraries mean: what an exception stands for counts where it
 * says nothing itself. Safe for concurrent use.
 */
final class LibraryErrors {

	/** Deeper wrapped than any library does. */
	private static final int MOST_WRAPPERS = 20;

	private final List<BuiltInErrors> libraries;

	private final MapperTable mappers;

	LibraryErrors(List<BuiltInErrors> libraries) {
		this.libraries = Stream.concat(Stream.of(new JdkErrors()), libraries.stream()).toList();
		List<ErrorMapper<?>> known = this.libraries.stream()
			.<ErrorMapper<?>>flatMap((errors) -> errors.mappers().stream())
			.toList();
		this.mappers = new MapperTable(() -> known);
	}

	/**
	 * Maps an exception.
	 * @return the error; {@code null} if no library knows it
	 */
	@Nullable GrpcError map(Throwable thrown) {
		Throwable wrapped = thrown;
		for (int i = 0; i < MOST_WRAPPERS && wrapped != null; i++) {
			GrpcError error = this.mappers.map(wrapped);
			if (error != null) {
				return error;
			}
			wrapped = unwrap(wrapped);
		}
		return null;
	}

	private @Nullable Throwable unwrap(Throwable thrown) {
		for (BuiltInErrors library : this.libraries) {
			Throwable wrapped = library.unwrap(thrown);
			if (wrapped != null) {
				return wrapped;
			}
		}
		return null;
	}

}
