/**
 * What HikariCP's pools can do beyond JDBC.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel.hikari;

import org.jspecify.annotations.NullMarked;
