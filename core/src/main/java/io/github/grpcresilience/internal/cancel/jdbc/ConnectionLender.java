package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * The pool that lends a connection, as far as it lets a connection be taken out of use
 * that may not be clean any more. Safe for concurrent use.
 */
public interface ConnectionLender {

	/** For data sources without a pool, and for pools that nobody knows. */
	ConnectionLender UNKNOWN = new ConnectionLender() {

		@Override
		public boolean isKnown() {
			return false;
		}

	};

	/**
	 * Whether the pool gets along with a connection that breaks while it is lent. Others
	 * never have one aborted.
	 * @return {@code true} for pools that close what comes back broken
	 */
	default boolean isKnown() {
		return true;
	}

	/**
	 * A connection must not be lent again. Called while it is in use, perhaps by another
	 * thread, and must not disturb whoever uses it.
	 * @param connection the connection as the pool knows it
	 */
	default void marked(Connection connection) {
		// what comes back is looked at then
	}

	/**
	 * A connection that must not be lent again is about to be aborted.
	 * @param connection the connection as the pool knows it
	 */
	default void aborting(Connection connection) {
		// it was told before
	}

	/**
	 * Gives back a connection that must not be lent again, on the thread that used it.
	 * @param connection the connection as the pool knows it
	 * @throws SQLException if the pool does not take it
	 */
	default void giveBack(Connection connection) throws SQLException {
		connection.close();
	}

	/**
	 * Whether the pool is taking a connection back on this thread, and closes one that
	 * says it is closed already. Asked for connections that must not be lent again.
	 * @return {@code false} for pools that were told before
	 */
	default boolean isReturning() {
		return false;
	}

}
