package io.github.grpcresilience.internal.cancel.jdbc;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A test on a MariaDB server of the system's packages, with each of its two drivers.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Tag("foreign")
@ParameterizedTest
@EnumSource(value = Database.class, names = { "MARIADB", "MYSQL" })
@interface OnMariaDb {

}
