/**
 * Data sources whose statements end with calls.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import org.jspecify.annotations.NullMarked;
