/**
 * What may stand between a stub, the network and a handler.
 */
@NullMarked
package io.github.grpcresilience.benchmarks.variant;

import org.jspecify.annotations.NullMarked;
