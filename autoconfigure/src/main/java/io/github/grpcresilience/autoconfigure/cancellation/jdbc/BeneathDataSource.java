package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.function.Supplier;
import java.util.logging.Logger;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.autoconfigure.cancellation.jdbc.PoolCover.Beneath;
import io.github.grpcresilience.internal.cancel.jdbc.CallConnections;

/**
 * Where a pool gets its connections from: the data source that it would have used itself,
 * made when the first connection is needed, with our connections around its. Safe for
 * concurrent use.
 */
final class BeneathDataSource implements DataSource {

	private final SingletonSupplier<DataSource> driver;

	private final Beneath beneath;

	BeneathDataSource(Supplier<DataSource> driver, Beneath beneath) {
		this.driver = SingletonSupplier.of(driver);
		this.beneath = beneath;
	}

	/**
	 * Our connections, where a data source is one of these.
	 */
	static @Nullable CallConnections find(@Nullable Object source) {
		return (source instanceof BeneathDataSource covered) ? covered.beneath.connections() : null;
	}

	private DataSource driver() {
		return this.driver.obtain();
	}

	@Override
	public Connection getConnection() throws SQLException {
		return this.beneath.around(driver().getConnection());
	}

	@Override
	public Connection getConnection(String username, String password) throws SQLException {
		return this.beneath.around(driver().getConnection(username, password));
	}

	@Override
	public @Nullable PrintWriter getLogWriter() throws SQLException {
		return driver().getLogWriter();
	}

	@Override
	public void setLogWriter(@Nullable PrintWriter writer) throws SQLException {
		driver().setLogWriter(writer);
	}

	@Override
	public int getLoginTimeout() throws SQLException {
		return driver().getLoginTimeout();
	}

	@Override
	public void setLoginTimeout(int seconds) throws SQLException {
		driver().setLoginTimeout(seconds);
	}

	@Override
	public Logger getParentLogger() throws SQLFeatureNotSupportedException {
		return driver().getParentLogger();
	}

	@Override
	public <T> T unwrap(Class<T> type) throws SQLException {
		DataSource source = driver();
		return type.isInstance(source) ? type.cast(source) : source.unwrap(type);
	}

	@Override
	public boolean isWrapperFor(Class<?> type) throws SQLException {
		DataSource source = driver();
		return type.isInstance(source) || source.isWrapperFor(type);
	}

}
