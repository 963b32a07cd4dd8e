package io.github.grpcresilience.autoconfigure.error;

import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

/**
 * Id of the trace that the current thread is in; {@code null} if it is in none.
 */
@FunctionalInterface
public interface TraceIds extends Supplier<@Nullable String> {

}
