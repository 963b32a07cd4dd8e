/**
 * Adapter to Micrometer's context propagation.
 */
@NullMarked
package io.github.grpcresilience.cancel.context;

import org.jspecify.annotations.NullMarked;
