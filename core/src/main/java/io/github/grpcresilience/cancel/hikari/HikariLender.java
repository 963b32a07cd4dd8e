package io.github.grpcresilience.cancel.hikari;

import java.sql.Connection;

import com.zaxxer.hikari.HikariDataSource;

import io.github.grpcresilience.cancel.jdbc.ConnectionLender;

/**
 * A pool seen from in front of it. A connection is evicted when it is given back:
 * evicting one that is in use would close it under whoever rolls back.
 */
record HikariLender(HikariDataSource pool) implements ConnectionLender {

	@Override
	public void closing(Connection connection) {
		this.pool.evictConnection(connection);
	}

}
