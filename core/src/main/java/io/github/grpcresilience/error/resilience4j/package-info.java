/**
 * Rejections by the engines of resilience4j.
 */
@NullMarked
package io.github.grpcresilience.error.resilience4j;

import org.jspecify.annotations.NullMarked;
