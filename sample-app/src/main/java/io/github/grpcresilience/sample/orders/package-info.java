/**
 * The service in the middle: checks an order and asks inventory for the goods.
 */
@NullMarked
package io.github.grpcresilience.sample.orders;

import org.jspecify.annotations.NullMarked;
