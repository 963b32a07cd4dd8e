/**
 * What exceptions become on their way to the caller, and what is read of answers.
 */
@NullMarked
package io.github.grpcresilience.internal.error;

import org.jspecify.annotations.NullMarked;
