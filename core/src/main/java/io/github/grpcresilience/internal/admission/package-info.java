/**
 * How many calls a server lets in: at once and within a second, of one method and of all
 * together.
 */
@NullMarked
package io.github.grpcresilience.internal.admission;

import org.jspecify.annotations.NullMarked;
