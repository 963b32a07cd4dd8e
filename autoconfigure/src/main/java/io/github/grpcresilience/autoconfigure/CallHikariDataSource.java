package io.github.grpcresilience.autoconfigure;

import java.sql.Connection;
import java.sql.SQLException;

import com.zaxxer.hikari.HikariDataSource;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.cancel.jdbc.CallConnections;

/**
 * A HikariCP pool whose statements end with the call that executes them, and which a call
 * waits for no longer than its budget. It is a pool of its own, not a proxy: whoever asks
 * for the class, reads its fields or sets it up further has the pool that is used. Safe
 * for concurrent use.
 */
final class CallHikariDataSource extends HikariDataSource {

	private final @Nullable CallConnections connections;

	/**
	 * For Spring Boot, which makes a data source of the same class where it derives one
	 * from another: that one is left alone.
	 */
	@SuppressWarnings("unused")
	CallHikariDataSource() {
		this.connections = null;
	}

	/**
	 * Takes over the settings of a pool that has not started.
	 */
	CallHikariDataSource(HikariDataSource settings, CallConnections connections) {
		settings.copyStateTo(this);
		this.connections = connections;
	}

	@Override
	public Connection getConnection() throws SQLException {
		return (this.connections != null) ? this.connections.get(this::getConnection, super::evictConnection)
				: super.getConnection();
	}

	private Connection getConnection(long maxMillis) throws SQLException {
		Connection bounded = HikariPools.findConnection(this, maxMillis);
		return (bounded != null) ? bounded : super.getConnection();
	}

	@Override
	public void evictConnection(Connection connection) {
		super.evictConnection(CallConnections.inside(connection));
	}

}
