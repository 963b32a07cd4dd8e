package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;

import javax.sql.DataSource;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.apache.tomcat.jdbc.pool.PoolConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * Connects as Tomcat's pool does that has no data source: by the settings of the moment.
 */
final class TomcatDriver implements DataSource {

	private final PoolConfiguration settings;

	/** Null before the first connection. */
	@GuardedBy("this")
	private @Nullable Driver driver;

	TomcatDriver(PoolConfiguration settings) {
		this.settings = settings;
	}

	@Override
	public Connection getConnection() throws SQLException {
		return connect(this.settings.getUsername(), this.settings.getPassword());
	}

	@Override
	public Connection getConnection(@Nullable String username, @Nullable String password) throws SQLException {
		return connect(username, password);
	}

	private Connection connect(@Nullable String username, @Nullable String password) throws SQLException {
		String url = this.settings.getUrl();
		Connection connection = driver(url).connect(url,
				JdbcDrivers.properties(this.settings.getDbProperties(), username, password));
		if (connection == null) {
			throw new SQLException("the driver does not take " + url.replaceAll("[?;].*", ""));
		}
		return connection;
	}

	private synchronized Driver driver(String url) throws SQLException {
		if (this.driver == null) {
			this.driver = JdbcDrivers.find(this.settings.getDriverClassName(), null, url);
		}
		return this.driver;
	}

	@Override
	public @Nullable PrintWriter getLogWriter() {
		return DriverManager.getLogWriter();
	}

	@Override
	public void setLogWriter(@Nullable PrintWriter writer) {
		DriverManager.setLogWriter(writer);
	}

	@Override
	public int getLoginTimeout() {
		return DriverManager.getLoginTimeout();
	}

	@Override
	public void setLoginTimeout(int seconds) {
		DriverManager.setLoginTimeout(seconds);
	}

	@Override
	public Logger getParentLogger() throws SQLFeatureNotSupportedException {
		throw new SQLFeatureNotSupportedException();
	}

	@Override
	public <T> T unwrap(Class<T> type) throws SQLException {
		if (type.isInstance(this)) {
			return type.cast(this);
		}
		throw new SQLException("wraps no " + type.getName());
	}

	@Override
	public boolean isWrapperFor(Class<?> type) {
		return type.isInstance(this);
	}

}
