/**
 * How a server goes away: what becomes of its calls.
 */
@NullMarked
package io.github.grpcresilience.internal.drain;

import org.jspecify.annotations.NullMarked;
