package io.github.grpcresilience.internal.cancel.postgresql;

import java.sql.Connection;
import java.sql.SQLException;

import org.postgresql.PGConnection;

/**
 * Cancels what a PostgreSQL connection is doing. {@code Statement.cancel()} asks the
 * server once for each execution, and not at all while rows are fetched; this asks
 * whenever it is called.
 */
public final class PostgresQueries {

	private static final boolean PRESENT = isPresent();

	private PostgresQueries() {
	}

	private static boolean isPresent() {
		try {
			Class.forName("org.postgresql.PGConnection", false, PostgresQueries.class.getClassLoader());
			return true;
		}
		catch (ClassNotFoundException | LinkageError ex) {
			return false;
		}
	}

	/**
	 * Asks the server to cancel what it is doing for a connection.
	 * @param connection any connection, in whatever wrappers
	 * @return {@code false} if it is none to PostgreSQL, and nothing was asked
	 * @throws SQLException if asking failed
	 */
	public static boolean cancel(Connection connection) throws SQLException {
		if (!PRESENT || !Postgres.owns(connection)) {
			return false;
		}
		Postgres.cancel(connection);
		return true;
	}

	/** Loaded only where the driver is. */
	private static final class Postgres {

		static boolean owns(Connection connection) throws SQLException {
			return connection.isWrapperFor(PGConnection.class);
		}

		static void cancel(Connection connection) throws SQLException {
			connection.unwrap(PGConnection.class).cancelQuery();
		}

	}

}
