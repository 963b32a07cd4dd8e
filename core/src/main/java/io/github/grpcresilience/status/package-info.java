/**
 * Reasons, and the building and decoding of {@code google.rpc} status details.
 */
@NullMarked
package io.github.grpcresilience.status;

import org.jspecify.annotations.NullMarked;
