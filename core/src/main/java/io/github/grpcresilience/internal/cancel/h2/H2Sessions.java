package io.github.grpcresilience.internal.cancel.h2;

import java.sql.Connection;
import java.sql.SQLException;

import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;

/**
 * Cancels what an embedded H2 session is doing. {@code Statement.cancel()} marks the
 * compiled command, does so once, and not in a batch. A command that ends before it looks
 * at the mark keeps it, also in the session's cache of commands, and fails when the same
 * SQL is executed next, whoever does that. A session's mark can be taken back.
 */
public final class H2Sessions {

	private static final boolean PRESENT = isPresent();

	private H2Sessions() {
	}

	private static boolean isPresent() {
		try {
			Class.forName("org.h2.engine.SessionLocal", false, H2Sessions.class.getClassLoader());
			return true;
		}
		catch (ClassNotFoundException | LinkageError ex) {
			return false;
		}
	}

	/**
	 * Cancels what a session is doing.
	 * @param connection any connection, in whatever wrappers
	 * @return {@code false} if it is none to an embedded H2, and nothing was cancelled
	 * @throws SQLException if the connection is closed
	 */
	public static boolean cancel(Connection connection) throws SQLException {
		return PRESENT && H2.cancel(connection);
	}

	/**
	 * Takes a cancel back that may have come too late. Does nothing for connections other
	 * than to an embedded H2.
	 * @param connection the connection that was cancelled
	 * @throws SQLException if it is closed
	 */
	public static void forgetCancel(Connection connection) throws SQLException {
		if (PRESENT && H2.owns(connection)) {
			H2.forgetCancel(connection);
		}
	}

	/**
	 * Whether the rows of a query are all there once it was executed.
	 * @param connection any connection
	 * @return {@code false} if reading them may wait, or if the connection is none to an
	 * embedded H2
	 * @throws SQLException if it is closed
	 */
	public static boolean hasAllRows(Connection connection) throws SQLException {
		return PRESENT && H2.hasAllRows(connection);
	}

	/** Loaded only where the driver is. */
	private static final class H2 {

		static boolean owns(Connection connection) throws SQLException {
			return connection.isWrapperFor(JdbcConnection.class)
					&& connection.unwrap(JdbcConnection.class).getSession() instanceof SessionLocal;
		}

		/**
		 * Setting the timeout clears the mark.
		 */
		static void forgetCancel(Connection connection) throws SQLException {
			if (connection.unwrap(JdbcConnection.class).getSession() instanceof SessionLocal session) {
				session.setQueryTimeout(session.getQueryTimeout());
			}
		}

		static boolean hasAllRows(Connection connection) throws SQLException {
			return connection.isWrapperFor(JdbcConnection.class)
					&& connection.unwrap(JdbcConnection.class).getSession() instanceof SessionLocal session
					&& !session.isLazyQueryExecution();
		}

		static boolean cancel(Connection connection) throws SQLException {
			if (!owns(connection)) {
				return false;
			}
			connection.unwrap(JdbcConnection.class).getSession().cancel();
			return true;
		}

	}

}
