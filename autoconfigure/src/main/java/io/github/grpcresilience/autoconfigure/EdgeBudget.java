package io.github.grpcresilience.autoconfigure;

import java.time.Duration;

/**
 * Budget of an HTTP request, and who gave it. Immutable.
 *
 * @param duration positive
 * @param source the property or the header that it comes from, for people
 */
record EdgeBudget(Duration duration, String source) {
}
