/**
 * Adaptive limits by Netflix's concurrency-limits.
 */
@NullMarked
package io.github.grpcresilience.admission.netflix;

import org.jspecify.annotations.NullMarked;
