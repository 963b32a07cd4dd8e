/**
 * Live counts per method.
 */
@NullMarked
package io.github.grpcresilience.internal.event;

import org.jspecify.annotations.NullMarked;
