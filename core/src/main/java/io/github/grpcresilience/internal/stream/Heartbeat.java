package io.github.grpcresilience.internal.stream;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * What is sent when nothing else is.
 *
 * @param <T> type of the messages
 * @param idle time without a message; positive
 * @param message builds the heartbeat; the application's
 */
public record Heartbeat<T>(Duration idle, Supplier<? extends T> message) {

	private static final double SPREAD = 0.1;

	/**
	 * How long to wait for other messages this time.
	 */
	long nextNanos() {
		return (long) (this.idle.toNanos() * ThreadLocalRandom.current().nextDouble(1 - SPREAD, 1 + SPREAD));
	}

}
