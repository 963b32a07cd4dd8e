package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;

import io.github.grpcresilience.internal.cancel.derby.DerbyStatements;
import io.github.grpcresilience.internal.cancel.h2.H2Sessions;
import io.github.grpcresilience.internal.cancel.mysql.MysqlRows;
import io.github.grpcresilience.internal.cancel.postgresql.PostgresQueries;

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
		void settle(Connection connection, Collection<Statement> executed) throws SQLException {
			H2Sessions.forgetCancel(connection);
		}

		@Override
		boolean rowsComeLater(Connection connection, Statement statement) throws SQLException {
			return !H2Sessions.hasAllRows(connection) && super.rowsComeLater(connection, statement);
		}

	},

	/** Its {@code cancel()} does nothing while rows are read, and closing reads on. */
	MYSQL("MySQL Connector/J") {

		@Override
		void cancelRows(Connection connection, Statement statement) throws SQLException {
			if (!MysqlRows.cancel(statement)) {
				statement.cancel();
			}
		}

		@Override
		boolean readsOnWhenClosing() {
			return true;
		}

	},

	MARIADB("MariaDB Connector/J") {

		@Override
		boolean readsOnWhenClosing() {
			return true;
		}

	},

	/** In a transaction a cancel that comes late hits the next statement. */
	HSQLDB("HSQL Database Engine Driver") {

		@Override
		void settle(Connection connection, Collection<Statement> executed) throws SQLException {
			if (!connection.getAutoCommit()) {
				quietly(() -> execute(connection, "values 1"));
			}
		}

	},

	/** Does not implement {@code cancel()}, and works while its rows are read. */
	DERBY("Apache Derby Embedded JDBC Driver") {

		@Override
		void cancel(Connection connection, Statement statement, boolean repeated) throws SQLException {
			if (!DerbyStatements.cancel(connection)) {
				statement.cancel();
			}
		}

		@Override
		void settle(Connection connection, Collection<Statement> executed) throws SQLException {
			DerbyStatements.forgetCancel(connection);
		}

		@Override
		boolean limitsTime() {
			return true; // by a timer that sets the same mark
		}

		@Override
		boolean rowsComeLater(Connection connection, Statement statement) {
			return true;
		}

	},

	/**
	 * Works while its rows are read. A cancel interrupts whatever the connection has open
	 * and all that it begins while any of that stays open, the keys of a former insert
	 * included; and one that hits an insert, update or delete ends the transaction, so
	 * that there is none any more to roll back.
	 */
	SQLITE("SQLite JDBC") {

		@Override
		boolean interruptsAll() {
			return true;
		}

		@Override
		void settle(Connection connection, Collection<Statement> executed) throws SQLException {
			for (Statement statement : executed) {
				closeRows(statement);
			}
			begin(connection);
		}

		@Override
		boolean rowsComeLater(Connection connection, Statement statement) {
			return true;
		}

	},

	/**
	 * Closes a statement that fails: nothing may be called on it then. A cancel that hits
	 * the beginning of a transaction leaves none, and what follows would be committed at
	 * once.
	 */
	DUCKDB("DuckDBJ") {

		@Override
		void settle(Connection connection, Collection<Statement> executed) throws SQLException {
			begin(connection);
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
	 * Tells the database to stop executing a statement.
	 * @param repeated whether it was told before, or rows are being fetched
	 */
	void cancel(Connection connection, Statement statement, boolean repeated) throws SQLException {
		statement.cancel();
	}

	/**
	 * Tells the database to stop making the rows of a statement, which are being fetched.
	 */
	void cancelRows(Connection connection, Statement statement) throws SQLException {
		cancel(connection, statement, true);
	}

	/**
	 * Takes a cancel back that may have come too late. Called when the statement has
	 * ended that was cancelled, and before the connection does anything else.
	 * @param executed what may be open, if {@link #interruptsAll}
	 */
	void settle(Connection connection, Collection<Statement> executed) throws SQLException {
		// A cancel that comes too late does nothing.
	}

	/**
	 * Whether a cancel concerns all that a connection has open.
	 */
	boolean interruptsAll() {
		return false;
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
	boolean rowsComeLater(Connection connection, Statement statement) throws SQLException {
		return statement.getFetchSize() != 0;
	}

	/**
	 * Whether rows that come later are all read when they are closed.
	 */
	boolean readsOnWhenClosing() {
		return false;
	}

	/**
	 * Begins the transaction that the driver believes to be in. If there is one, this
	 * fails, and so on DuckDB does all but a rollback: as after a cancel that hit.
	 */
	private static void begin(Connection connection) throws SQLException {
		if (!connection.getAutoCommit()) {
			quietly(() -> execute(connection, "begin"));
		}
	}

	private static boolean execute(Connection connection, String sql) throws SQLException {
		try (Statement statement = connection.createStatement()) {
			return statement.execute(sql);
		}
	}

	private static void closeRows(Statement statement) {
		quietly(statement::getMoreResults);
		quietly(() -> {
			statement.getGeneratedKeys().close();
			return true;
		});
	}

	private static void quietly(SqlWork<?> work) {
		try {
			work.run();
		}
		catch (SQLException | RuntimeException ex) {
			// It had nothing to take back, or is closed.
		}
	}

}
