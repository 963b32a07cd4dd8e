package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.SQLException;

/**
 * A driver call that may wait for the database.
 *
 * @param <T> type of the result
 */
@FunctionalInterface
interface SqlWork<T> {

	T run() throws SQLException;

}
