/**
 * What happened, as values: live counts per method, and events for whoever reports them.
 */
@NullMarked
package io.github.grpcresilience.event;

import org.jspecify.annotations.NullMarked;
