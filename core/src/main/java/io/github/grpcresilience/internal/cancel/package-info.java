/**
 * Work that ends with its call: what runs when a call's Context is cancelled, and what
 * tells a call that nobody waits for from one that was answered.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel;

import org.jspecify.annotations.NullMarked;
