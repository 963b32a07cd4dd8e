/**
 * Adapter to HdrHistogram.
 */
@NullMarked
package io.github.grpcresilience.attempt.hdrhistogram;

import org.jspecify.annotations.NullMarked;
