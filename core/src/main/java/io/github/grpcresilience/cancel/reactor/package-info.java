/**
 * Adapter to Reactor.
 */
@NullMarked
package io.github.grpcresilience.cancel.reactor;

import org.jspecify.annotations.NullMarked;
