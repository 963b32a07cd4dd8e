/**
 * What happened, as values for whoever reports them.
 */
@NullMarked
package io.github.grpcresilience.event;

import org.jspecify.annotations.NullMarked;
