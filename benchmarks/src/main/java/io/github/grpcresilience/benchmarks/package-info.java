/**
 * What the library costs a call, and what it does under overload.
 */
@NullMarked
package io.github.grpcresilience.benchmarks;

import org.jspecify.annotations.NullMarked;
