/**
 * HTTP requests that end with the call that makes them, and that tell chosen hosts how
 * much time is left.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel.http;

import org.jspecify.annotations.NullMarked;
