/**
 * An online shop of three services that call each other over gRPC.
 */
@NullMarked
package io.github.grpcresilience.sample;

import org.jspecify.annotations.NullMarked;
