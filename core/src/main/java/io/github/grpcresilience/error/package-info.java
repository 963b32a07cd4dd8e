/**
 * Failures as {@code google.rpc} rich errors: written by handlers and mappers, read by
 * callers.
 */
@NullMarked
package io.github.grpcresilience.error;

import org.jspecify.annotations.NullMarked;
