/**
 * The building and decoding of {@code google.rpc} status details.
 */
@NullMarked
package io.github.grpcresilience.internal.status;

import org.jspecify.annotations.NullMarked;
