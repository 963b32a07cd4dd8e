package io.github.grpcresilience.internal.cancel.jdbc;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;

/**
 * A data source whose statements end with the call that executes them, around any other
 * one. Safe for concurrent use where the other one is.
 */
public final class CallDataSource implements DataSource {

	private final DataSource delegate;

	private final CallConnections connections;

	private final ConnectionLender lender;

	/**
	 * Creates the data source.
	 * @param delegate the data source to wrap
	 * @param connections wraps its connections
	 * @param lender the pool that the data source is
	 */
	public CallDataSource(DataSource delegate, CallConnections connections, ConnectionLender lender) {
		this.delegate = delegate;
		this.connections = connections;
		this.lender = lender;
	}

	@Override
	public Connection getConnection() throws SQLException {
		return this.connections.get((maxMillis) -> this.delegate.getConnection(), this.lender);
	}

	@Override
	public Connection getConnection(String username, String password) throws SQLException {
		return this.connections.get((maxMillis) -> this.delegate.getConnection(username, password), this.lender);
	}

	@Override
	public @Nullable PrintWriter getLogWriter() throws SQLException {
		return this.delegate.getLogWriter();
	}

	@Override
	public void setLogWriter(@Nullable PrintWriter writer) throws SQLException {
		this.delegate.setLogWriter(writer);
	}

	@Override
	public int getLoginTimeout() throws SQLException {
		return this.delegate.getLoginTimeout();
	}

	@Override
	public void setLoginTimeout(int seconds) throws SQLException {
		this.delegate.setLoginTimeout(seconds);
	}

	@Override
	public Logger getParentLogger() throws SQLFeatureNotSupportedException {
		return this.delegate.getParentLogger();
	}

	@Override
	public <T> T unwrap(Class<T> type) throws SQLException {
		return type.isInstance(this) ? type.cast(this)
				: type.isInstance(this.delegate) ? type.cast(this.delegate) : this.delegate.unwrap(type);
	}

	@Override
	public boolean isWrapperFor(Class<?> type) throws SQLException {
		return type.isInstance(this) || type.isInstance(this.delegate) || this.delegate.isWrapperFor(type);
	}

}
