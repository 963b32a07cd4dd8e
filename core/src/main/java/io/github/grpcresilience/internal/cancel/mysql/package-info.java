/**
 * What MySQL's driver can do beyond JDBC.
 */
@NullMarked
package io.github.grpcresilience.internal.cancel.mysql;

import org.jspecify.annotations.NullMarked;
