package io.github.grpcresilience.internal.error;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;

/**
 * What the exceptions of libraries mean: what an exception stands for counts where it
 * says nothing itself. Safe for concurrent use.
 */
final class LibraryErrors {

	/** Deeper wrapped than any library does. */
	private static final int MOST_WRAPPERS = 20;

	private final Supplier<List<BuiltInErrors>> builtIn;

	private final MapperTable mappers = new MapperTable(this::known);

	private volatile @Nullable List<BuiltInErrors> libraries; // made with the first error

	LibraryErrors(Supplier<List<BuiltInErrors>> builtIn) {
		this.builtIn = builtIn;
	}

	private List<ErrorMapper<?>> known() {
		return libraries().stream().<ErrorMapper<?>>flatMap((errors) -> errors.mappers().stream()).toList();
	}

	/**
	 * Makes the mappers, which loads the classes that they know.
	 */
	void load() {
		this.mappers.map(new IllegalStateException());
	}

	/** Threads that come at once make one each, which are alike. */
	private List<BuiltInErrors> libraries() {
		List<BuiltInErrors> known = this.libraries;
		if (known == null) {
			known = Stream.concat(Stream.of(new JdkErrors()), this.builtIn.get().stream()).toList();
			this.libraries = known;
		}
		return known;
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
		for (BuiltInErrors library : libraries()) {
			Throwable wrapped = library.unwrap(thrown);
			if (wrapped != null) {
				return wrapped;
			}
		}
		return null;
	}

}
