/**
 * The timer that every feature shares.
 */
@NullMarked
package io.github.grpcresilience.time;

import org.jspecify.annotations.NullMarked;
