package io.github.grpcresilience.internal.cancel.derby;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

import org.apache.derby.iapi.sql.conn.StatementContext;
import org.apache.derby.impl.jdbc.EmbedConnection;

/**
 * Cancels what an embedded Derby is doing for a connection. Its driver does not implement
 * {@code Statement.cancel()}; this sets the mark that the driver's own query timeout
 * sets. A mark that comes too late hits the next statement, so it can be taken back.
 */
public final class DerbyStatements {

	private static final boolean PRESENT = isPresent();

	private DerbyStatements() {
	}

	private static boolean isPresent() {
		try {
			Class.forName("org.apache.derby.impl.jdbc.EmbedConnection", false, DerbyStatements.class.getClassLoader());
			return true;
		}
		catch (ClassNotFoundException | LinkageError ex) {
			return false;
		}
	}

	/**
	 * Cancels what is being done for a connection.
	 * @param connection any connection, in whatever wrappers
	 * @return {@code false} if it is none to an embedded Derby, and nothing was cancelled
	 * @throws SQLException if the connection is closed
	 */
	public static boolean cancel(Connection connection) throws SQLException {
		return PRESENT && Derby.cancel(connection);
	}

	/**
	 * Takes a cancel back that may have come too late. Does nothing for connections other
	 * than to an embedded Derby.
	 * @param connection the connection that was cancelled, of which no statement runs
	 * @throws SQLException if it is closed
	 */
	public static void forgetCancel(Connection connection) throws SQLException {
		if (PRESENT) {
			Derby.forgetCancel(connection);
		}
	}

	/** Loaded only where the driver is. */
	private static final class Derby {

		static boolean cancel(Connection connection) throws SQLException {
			List<StatementContext> statements = statements(connection);
			statements.stream().filter(StatementContext::inUse).forEach(StatementContext::cancel);
			return !statements.isEmpty();
		}

		static void forgetCancel(Connection connection) throws SQLException {
			statements(connection).stream()
				.filter((statement) -> !statement.inUse() && statement.isCancelled())
				.forEach(StatementContext::clearInUse);
		}

		/**
		 * One for each statement that runs within another one, and one that stays.
		 */
		private static List<StatementContext> statements(Connection connection) throws SQLException {
			if (!connection.isWrapperFor(EmbedConnection.class)) {
				return List.of();
			}
			return connection.unwrap(EmbedConnection.class)
				.getLanguageConnection()
				.getContextManager()
				.getContextStack("StatementContext")
				.stream()
				.map(StatementContext.class::cast)
				.toList();
		}

	}

}
