/**
 * The least code that somebody would write by hand for the promises of this library.
 */
@NullMarked
package io.github.grpcresilience.benchmarks.floor;

import org.jspecify.annotations.NullMarked;
