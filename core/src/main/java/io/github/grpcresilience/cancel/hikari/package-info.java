/**
 * What HikariCP's pools can do beyond JDBC.
 */
@NullMarked
package io.github.grpcresilience.cancel.hikari;

import org.jspecify.annotations.NullMarked;
