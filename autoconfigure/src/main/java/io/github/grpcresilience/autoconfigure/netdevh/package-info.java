/**
 * The stack of net.devh's starter.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.netdevh;

import org.jspecify.annotations.NullMarked;
