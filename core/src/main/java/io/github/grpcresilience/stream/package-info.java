/**
 * Streams as applications write them: messages with bounds, in the pace of their reader.
 */
@NullMarked
package io.github.grpcresilience.stream;

import org.jspecify.annotations.NullMarked;
