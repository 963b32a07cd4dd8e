/**
 * Methods as they are met at run time: each with its policy and its live counts.
 */
@NullMarked
package io.github.grpcresilience.internal.method;

import org.jspecify.annotations.NullMarked;
