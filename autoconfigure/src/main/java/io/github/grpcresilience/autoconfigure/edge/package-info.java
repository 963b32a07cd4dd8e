/**
 * HTTP requests that gRPC calls are made for: their budgets and answers, whatever serves
 * them.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.edge;

import org.jspecify.annotations.NullMarked;
