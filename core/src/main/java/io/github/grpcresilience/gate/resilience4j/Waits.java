package io.github.grpcresilience.gate.resilience4j;

import java.time.Duration;

/**
 * How long callers shall wait.
 */
final class Waits {

	/**
	 * Where the engine does not tell: as long as gRPC itself waits before its first
	 * attempt to connect again.
	 */
	static final Duration UNKNOWN = Duration.ofSeconds(1);

	/** Shorter waits only bring back all callers at once. */
	private static final Duration LEAST = Duration.ofMillis(100);

	private Waits() {
	}

	static Duration atLeast(Duration wait) {
		return (wait.compareTo(LEAST) < 0) ? LEAST : wait;
	}

}
