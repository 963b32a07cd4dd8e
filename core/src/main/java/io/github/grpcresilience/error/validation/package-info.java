/**
 * Violations of jakarta.validation constraints.
 */
@NullMarked
package io.github.grpcresilience.error.validation;

import org.jspecify.annotations.NullMarked;
