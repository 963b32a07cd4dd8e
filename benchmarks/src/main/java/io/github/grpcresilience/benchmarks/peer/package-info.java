/**
 * What others do for calls.
 */
@NullMarked
package io.github.grpcresilience.benchmarks.peer;

import org.jspecify.annotations.NullMarked;
