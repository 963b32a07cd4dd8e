/**
 * The engines of resilience4j, from registries that the application has.
 */
@NullMarked
package io.github.grpcresilience.gate.resilience4j;

import org.jspecify.annotations.NullMarked;
