/**
 * Executors, asynchronous methods and subscriptions that end with calls.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.cancellation;

import org.jspecify.annotations.NullMarked;
