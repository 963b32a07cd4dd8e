/**
 * The last service: answers from a database.
 */
@NullMarked
package io.github.grpcresilience.sample.inventory;

import org.jspecify.annotations.NullMarked;
