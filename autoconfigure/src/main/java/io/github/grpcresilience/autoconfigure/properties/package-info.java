/**
 * Reads {@code grpc.resilience.*} with the origin of each value, and tells its mistakes.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.properties;

import org.jspecify.annotations.NullMarked;
