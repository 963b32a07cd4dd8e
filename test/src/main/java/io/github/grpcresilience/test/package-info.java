/**
 * Servers and networks that fail as a test asks, for any gRPC client.
 */
@NullMarked
package io.github.grpcresilience.test;

import org.jspecify.annotations.NullMarked;
