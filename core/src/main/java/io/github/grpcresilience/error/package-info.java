/**
 * Failures as {@code google.rpc} rich errors: read on the client.
 */
@NullMarked
package io.github.grpcresilience.error;

import org.jspecify.annotations.NullMarked;
