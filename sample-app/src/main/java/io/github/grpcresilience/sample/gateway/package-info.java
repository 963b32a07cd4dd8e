/**
 * The shop's HTTP edge: gives each checkout a budget and calls orders.
 */
@NullMarked
package io.github.grpcresilience.sample.gateway;

import org.jspecify.annotations.NullMarked;
