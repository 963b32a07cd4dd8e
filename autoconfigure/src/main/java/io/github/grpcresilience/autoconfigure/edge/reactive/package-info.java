/**
 * The edge of WebFlux.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.edge.reactive;

import org.jspecify.annotations.NullMarked;
