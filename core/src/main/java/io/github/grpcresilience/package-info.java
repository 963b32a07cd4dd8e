/**
 * Deadlines, cancellation, error details and retries for grpc-java, without Spring.
 */
@NullMarked
package io.github.grpcresilience;

import org.jspecify.annotations.NullMarked;
