/**
 * Measures variants by pairs: a batch of calls of each beside a batch of calls that have
 * nothing but a deadline.
 */
@NullMarked
package io.github.grpcresilience.benchmarks.pair;

import org.jspecify.annotations.NullMarked;
