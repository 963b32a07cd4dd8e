package io.github.grpcresilience.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

import io.github.grpcresilience.cancel.h2.H2Sessions;
import io.github.grpcresilience.cancel.postgresql.PostgresQueries;

/**
 * What a driver does well, as far as cancelling needs it, and what it must not be asked
 * for (decision 23). Told by the name that the driver gives itself, which is the same in
 * whatever wrappers.
 */
enum Driver {

	/** Asks its server once for each execution, and never while rows are fetched. */
	POSTGRESQL("PostgreSQL JDBC Driver") {

		@Override
		void cancel(Connection connection, Statement statement, boolean repeated) throws SQLException {
			if (!repeated || !PostgresQueries.cancel(connection)) {
				statement.cancel();
			}
		}

		@Override
		boolean limitsTime() {
			return true; // by a timer of the driver's own that cancels
		}

	},

	/**
	 * A cancel that comes late sticks to the compiled command, so the session is told.
	 */
	H2("H2 JDBC Driver") {

		@Override
		void cancel(Connection connection, Statement statement, boolean repeated) throws SQLException {
			if (!H2Sessions.cancel(connection)) {
				statement.cancel();
			}
		}

		@Override
		void settle(Connection connection) throws SQLException {
			H2Sessions.forgetCancel(connection);
		}

	},

	/** Steps through the rows while they are read, whatever the fetch size. */
	SQLITE("SQLite JDBC") {

		@Override
		boolean rowsComeLater(Statement statement) {
			return true;
		}

	},

	/** Whatever else there is: a cancel as JDBC has it, and nothing besides. */
	OTHER("");

	private final String driverName;

	Driver(String driverName) {
		this.driverName = driverName;
	}

	/**
	 * The driver of a connection.
	 */
	static Driver of(Connection connection) {
		try {
			String name = connection.getMetaData().getDriverName();
			for (Driver driver : values()) {
				if (driver.driverName.equals(name)) {
					return driver;
				}
			}
		}
		catch (SQLException | RuntimeException ex) {
			// It does not say, or is closed: then nothing is presumed.
		}
		return OTHER;
	}

	/**
	 * Tells the database to stop what it does for a connection.
	 * @param repeated whether it was told before, or rows are being fetched
	 */
	void cancel(Connection connection, Statement statement, boolean repeated) throws SQLException {
		statement.cancel();
	}

	/**
	 * Takes a cancel back that may have come too late. Called when the statement has
	 * ended that was cancelled, and before the connection does anything else.
	 */
	void settle(Connection connection) throws SQLException {
		// A cancel that comes too late does nothing.
	}

	/**
	 * Whether the time limit of a statement only limits its time.
	 */
	boolean limitsTime() {
		return false;
	}

	/**
	 * Whether reading rows may wait for the database.
	 */
	boolean rowsComeLater(Statement statement) throws SQLException {
		return statement.getFetchSize() != 0;
	}

}
