package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.lang.reflect.Field;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.HashSet;
import java.util.Properties;
import java.util.Set;
import java.util.logging.Logger;

import javax.sql.DataSource;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.apache.commons.dbcp2.BasicDataSource;
import org.apache.commons.dbcp2.PoolableConnection;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ReflectionUtils;

import io.github.grpcresilience.internal.cancel.jdbc.CallConnections;

/**
 * Commons DBCP. A pool that has not started is told to use our driver, which asks the one
 * that the pool would have used. Loaded only where DBCP is.
 */
final class DbcpCover implements PoolCover {

	@Override
	public boolean fits(DataSource dataSource) {
		return dataSource instanceof BasicDataSource;
	}

	@Override
	public @Nullable CallConnections find(DataSource pool) {
		return (((BasicDataSource) pool).getDriver() instanceof BeneathDriver covered) ? covered.beneath.connections()
				: null;
	}

	@Override
	public void cover(DataSource dataSource, Factory connections) {
		BasicDataSource pool = (BasicDataSource) dataSource;
		if (hasStarted(pool)) {
			throw new IllegalStateException("a pool of Commons DBCP cannot be covered once it has started");
		}
		Beneath beneath = new Beneath(connections.create(() -> ownStatements(pool)),
				new ReturningLender(PoolableConnection.class, "close"));
		pool.setDriver(new BeneathDriver(pool, pool.getDriver(), beneath));
	}

	private static boolean hasStarted(BasicDataSource pool) {
		Field field = ReflectionUtils.findField(BasicDataSource.class, "dataSource");
		if (field == null) {
			return true;
		}
		field.setAccessible(true);
		return ReflectionUtils.getField(field, pool) != null;
	}

	private static Set<String> ownStatements(BasicDataSource pool) {
		Set<String> own = new HashSet<>(pool.getConnectionInitSqls());
		own.add(String.valueOf(pool.getValidationQuery()));
		return own;
	}

	@Override
	public long maxWaitMillis(DataSource pool) {
		long wait = ((BasicDataSource) pool).getMaxWaitDuration().toMillis();
		return (wait >= 0) ? wait : Long.MAX_VALUE;
	}

	/**
	 * The driver of a pool, with our connections around its own.
	 */
	private static final class BeneathDriver implements Driver {

		private final BasicDataSource pool;

		private final Beneath beneath;

		/** Null before the first connection, unless there was one. */
		@GuardedBy("this")
		private @Nullable Driver driver;

		BeneathDriver(BasicDataSource pool, @Nullable Driver own, Beneath beneath) {
			this.pool = pool;
			this.driver = own;
			this.beneath = beneath;
		}

		private synchronized Driver driver() throws SQLException {
			if (this.driver == null) {
				this.driver = JdbcDrivers.find(this.pool.getDriverClassName(), this.pool.getDriverClassLoader(),
						this.pool.getUrl());
			}
			return this.driver;
		}

		@Override
		public @Nullable Connection connect(String url, Properties properties) throws SQLException {
			Connection connection = driver().connect(url, properties);
			return (connection != null) ? this.beneath.around(connection) : null;
		}

		@Override
		public boolean acceptsURL(String url) throws SQLException {
			return driver().acceptsURL(url);
		}

		@Override
		public DriverPropertyInfo[] getPropertyInfo(String url, Properties properties) throws SQLException {
			return driver().getPropertyInfo(url, properties);
		}

		@Override
		public int getMajorVersion() {
			return 1;
		}

		@Override
		public int getMinorVersion() {
			return 0;
		}

		@Override
		public boolean jdbcCompliant() {
			return false;
		}

		@Override
		public Logger getParentLogger() throws SQLFeatureNotSupportedException {
			throw new SQLFeatureNotSupportedException();
		}

	}

}
