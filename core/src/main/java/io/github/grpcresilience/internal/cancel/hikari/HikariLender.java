package io.github.grpcresilience.internal.cancel.hikari;

import java.sql.Connection;
import java.sql.SQLException;

import com.zaxxer.hikari.HikariDataSource;

import io.github.grpcresilience.internal.cancel.jdbc.ConnectionLender;

/**
 * A pool seen from in front of it. A connection is evicted when it is given back:
 * evicting one that is in use would close it under whoever rolls back.
 */
record HikariLender(HikariDataSource pool) implements ConnectionLender {

	@Override
	public void aborting(Connection connection) {
		this.pool.evictConnection(connection);
	}

	@Override
	public void giveBack(Connection connection) throws SQLException {
		if (!connection.getAutoCommit()) {
			connection.rollback();
		}
		this.pool.evictConnection(connection);
		try {
			connection.close();
		}
		catch (RuntimeException ex) {
			// HikariCP cannot reset what it has evicted, and has let go of it.
		}
	}

}
