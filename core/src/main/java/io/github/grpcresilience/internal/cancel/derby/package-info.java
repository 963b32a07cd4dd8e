/**
 * What an embedded Derby needs to be cancelled.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel.derby;

import org.jspecify.annotations.NullMarked;
