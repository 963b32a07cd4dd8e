package io.github.grpcresilience.autoconfigure.edge;

import java.time.Duration;

/**
 * Budget of an HTTP request, and who gave it. Immutable.
 *
 * @param duration positive
 * @param source the property or the header that it comes from, for people
 */
public record EdgeBudget(Duration duration, String source) {
}
