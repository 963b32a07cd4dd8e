/**
 * Example: a shop of three services in one executable jar, with real gRPC hops between
 * them.
 */
@NullMarked
package io.github.grpcresilience.sample;

import org.jspecify.annotations.NullMarked;
