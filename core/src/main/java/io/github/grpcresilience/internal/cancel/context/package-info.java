/**
 * Adapter to Micrometer's context propagation.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel.context;

import org.jspecify.annotations.NullMarked;
