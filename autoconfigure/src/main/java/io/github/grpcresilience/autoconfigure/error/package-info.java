/**
 * What exceptions of Spring and of persistence mean to callers.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.error;

import org.jspecify.annotations.NullMarked;
