package io.github.grpcresilience.internal.cancel.mysql;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicBoolean;

import com.mysql.cj.jdbc.StatementImpl;

/**
 * Cancels a statement of MySQL's driver while its rows are read. There
 * {@code Statement.cancel()} does nothing, since to the driver the statement has been
 * executed, though the server still makes the rows.
 */
public final class MysqlRows {

	private static final boolean PRESENT = isPresent();

	private MysqlRows() {
	}

	private static boolean isPresent() {
		try {
			Class.forName("com.mysql.cj.jdbc.StatementImpl", false, MysqlRows.class.getClassLoader());
			return true;
		}
		catch (ClassNotFoundException | LinkageError ex) {
			return false;
		}
	}

	/**
	 * Asks the server to stop making the rows of a statement.
	 * @param statement any statement, in whatever wrappers, that is not being executed
	 * @return {@code false} if it is none of MySQL's driver, and nothing was asked
	 * @throws SQLException if asking failed
	 */
	public static boolean cancel(Statement statement) throws SQLException {
		return PRESENT && Mysql.cancel(statement);
	}

	/** Loaded only where the driver is. */
	private static final class Mysql {

		static boolean cancel(Statement statement) throws SQLException {
			if (!statement.isWrapperFor(StatementImpl.class)) {
				return false;
			}
			StatementImpl known = statement.unwrap(StatementImpl.class);
			AtomicBoolean executing = known.getStatementExecuting();
			boolean changed = executing.compareAndSet(false, true);
			try {
				known.cancel();
			}
			finally {
				if (changed) {
					executing.set(false);
				}
			}
			return true;
		}

	}

}
