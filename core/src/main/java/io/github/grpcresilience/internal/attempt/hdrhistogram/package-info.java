/**
 * Adapter to HdrHistogram.
 */
@NullMarked
package io.github.grpcresilience.internal.attempt.hdrhistogram;

import org.jspecify.annotations.NullMarked;
