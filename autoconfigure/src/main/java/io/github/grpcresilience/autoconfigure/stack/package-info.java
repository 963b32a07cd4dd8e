/**
 * What lies below: which gRPC serves and calls for the application, and whether the
 * starter is the right one for it.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.stack;

import org.jspecify.annotations.NullMarked;
