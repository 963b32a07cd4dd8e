package io.github.grpcresilience.internal.policy;

/**
 * A value with the place where it was written. Immutable.
 *
 * @param <T> type of the value
 * @param value the value
 * @param origin where it was written
 */
public record Setting<T>(T value, Origin origin) {
}
