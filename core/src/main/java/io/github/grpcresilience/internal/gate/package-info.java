/**
 * Circuit breakers, bulkheads and rate limiters: what stands between the attempts of a
 * method and the network, and what is told how they ended.
 */
@NullMarked
package io.github.grpcresilience.internal.gate;

import org.jspecify.annotations.NullMarked;
