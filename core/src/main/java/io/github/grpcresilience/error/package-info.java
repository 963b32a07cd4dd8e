/**
 * Failures as {@code google.rpc} rich errors: what exceptions become on the server, read
 * on the client.
 */
@NullMarked
package io.github.grpcresilience.error;

import org.jspecify.annotations.NullMarked;
