/**
 * SQL statements that end with the call that began them. Needs nothing but JDBC.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel.jdbc;

import org.jspecify.annotations.NullMarked;
