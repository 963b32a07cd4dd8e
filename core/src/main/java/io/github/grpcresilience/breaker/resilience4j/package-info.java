/**
 * The engines of resilience4j, from registries that the application has.
 */
@NullMarked
package io.github.grpcresilience.breaker.resilience4j;

import org.jspecify.annotations.NullMarked;
