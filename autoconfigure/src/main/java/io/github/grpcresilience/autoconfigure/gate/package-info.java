/**
 * Circuit breakers and limits of the application's registries.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.gate;

import org.jspecify.annotations.NullMarked;
