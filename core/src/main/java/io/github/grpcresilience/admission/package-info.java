/**
 * Limits that follow what a server can do.
 */
@NullMarked
package io.github.grpcresilience.admission;

import org.jspecify.annotations.NullMarked;
