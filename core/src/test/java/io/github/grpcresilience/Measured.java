package io.github.grpcresilience;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * What tests measured on the way, for people to read in {@code target/measured.txt}.
 * Tests assert counts and outcomes, not times.
 */
public final class Measured {

	private static final Path FILE = Path.of("target", "measured.txt");

	private Measured() {
	}

	public static synchronized void note(String line) {
		try {
			Files.writeString(FILE, line + System.lineSeparator(), StandardOpenOption.CREATE,
					StandardOpenOption.APPEND);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	public static String percentiles(long[] nanos) {
		long[] sorted = nanos.clone();
		Arrays.sort(sorted);
		return String.format("p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms", at(sorted, 0.5), at(sorted, 0.9),
				at(sorted, 0.99), at(sorted, 1));
	}

	private static double at(long[] sorted, double share) {
		return sorted[(int) Math.min(sorted.length - 1, Math.floor(share * sorted.length))] / 1_000_000.0;
	}

}
