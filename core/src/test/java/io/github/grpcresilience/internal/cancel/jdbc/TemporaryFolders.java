package io.github.grpcresilience.internal.cancel.jdbc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where databases keep their files.
 */
final class TemporaryFolders {

	private TemporaryFolders() {
	}

	static Path create(String name) {
		try {
			return Files.createTempDirectory(name);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	static void delete(Path folder) {
		try (Stream<Path> walk = Files.walk(folder)) {
			List<Path> files = walk.sorted(Comparator.reverseOrder()).toList();
			for (Path file : files) {
				Files.deleteIfExists(file);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
