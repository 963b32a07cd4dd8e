package io.github.grpcresilience.internal.cancel.hikari;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;

import io.github.grpcresilience.internal.cancel.jdbc.ConnectionLender;

/**
 * Recognises HikariCP's pools, where the library is there.
 */
public final class HikariLenders {

	private static final boolean PRESENT = isPresent();

	private HikariLenders() {
	}

	private static boolean isPresent() {
		try {
			Class.forName("com.zaxxer.hikari.HikariDataSource", false, HikariLenders.class.getClassLoader());
			return true;
		}
		catch (ClassNotFoundException | LinkageError ex) {
			return false;
		}
	}

	/**
	 * The pool that a data source is.
	 * @param dataSource the data source
	 * @return the pool; an unknown one if it is none of HikariCP
	 */
	public static ConnectionLender find(DataSource dataSource) {
		return PRESENT ? Hikari.find(dataSource) : ConnectionLender.UNKNOWN;
	}

	/** Loaded only where HikariCP is. */
	private static final class Hikari {

		static ConnectionLender find(DataSource dataSource) {
			return (dataSource instanceof HikariDataSource pool) ? new HikariLender(pool) : ConnectionLender.UNKNOWN;
		}

	}

}
