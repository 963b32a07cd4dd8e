/**
 * What H2 needs to be cancelled without harm to the next statement.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel.h2;

import org.jspecify.annotations.NullMarked;
