/**
 * What PostgreSQL's driver can do beyond JDBC.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel.postgresql;

import org.jspecify.annotations.NullMarked;
