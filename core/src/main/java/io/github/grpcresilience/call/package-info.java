/**
 * What work is told whose call has ended.
 */
@NullMarked
package io.github.grpcresilience.call;

import org.jspecify.annotations.NullMarked;
