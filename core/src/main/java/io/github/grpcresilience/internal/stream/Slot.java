package io.github.grpcresilience.internal.stream;

import org.jspecify.annotations.Nullable;

/**
 * A message that waits.
 *
 * @param <T> type of the message
 * @param message the message
 * @param bytes its size
 * @param key what it is about; {@code null} if no message takes the place of another
 */
record Slot<T>(T message, long bytes, @Nullable Object key) {
}
