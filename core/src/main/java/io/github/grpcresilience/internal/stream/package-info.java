/**
 * How messages wait for the reader of a stream, and who sends them.
 */
@NullMarked
package io.github.grpcresilience.internal.stream;

import org.jspecify.annotations.NullMarked;
