/**
 * Where circuit breakers, bulkheads and rate limiters come from.
 */
@NullMarked
package io.github.grpcresilience.gate;

import org.jspecify.annotations.NullMarked;
