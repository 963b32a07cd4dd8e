/**
 * The timer that every feature shares.
 */
@NullMarked
package io.github.grpcresilience.internal.time;

import org.jspecify.annotations.NullMarked;
