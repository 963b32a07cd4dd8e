/**
 * Connections: how old they get, and how one that is dead is noticed.
 */
@NullMarked
package io.github.grpcresilience.internal.connection;

import org.jspecify.annotations.NullMarked;
