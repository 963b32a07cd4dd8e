/**
 * Calls as they are served: one record a call, which alone knows what became of it, and
 * the scope that lets work on a thread find it.
 */
@NullMarked
package io.github.grpcresilience.internal.call;

import org.jspecify.annotations.NullMarked;
