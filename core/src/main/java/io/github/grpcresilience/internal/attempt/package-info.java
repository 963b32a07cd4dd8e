/**
 * Further attempts of calls that are made: retries and hedges, and what keeps them from
 * multiplying load.
 */
@NullMarked
package io.github.grpcresilience.internal.attempt;

import org.jspecify.annotations.NullMarked;
