/**
 * HTTP clients whose exchanges end with calls.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.cancellation.http;

import org.jspecify.annotations.NullMarked;
