/**
 * Requests checked against the protovalidate rules of their messages.
 */
@NullMarked
package io.github.grpcresilience.error.protovalidate;

import org.jspecify.annotations.NullMarked;
