package io.github.grpcresilience.internal.cancel.jdbc;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A test on every database that the build brings along.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest
@EnumSource(value = Database.class, mode = EnumSource.Mode.EXCLUDE, names = { "MARIADB", "MYSQL" })
@interface OnEmbeddedDatabases {

}
