package io.github.grpcresilience.autoconfigure;

import java.lang.reflect.Field;
import java.sql.Connection;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

import javax.sql.DataSource;

import org.apache.tomcat.jdbc.pool.ConnectionPool;
import org.apache.tomcat.jdbc.pool.DataSourceProxy;
import org.apache.tomcat.jdbc.pool.PoolConfiguration;
import org.apache.tomcat.jdbc.pool.PooledConnection;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ReflectionUtils;

import io.github.grpcresilience.cancel.jdbc.ConnectionLender;

/**
 * Tomcat's pool. Loaded only where it is.
 */
final class TomcatCover implements PoolCover {

	@Override
	public boolean fits(DataSource dataSource) {
		return dataSource instanceof DataSourceProxy;
	}

	@Override
	public void cover(DataSource dataSource, Factory connections) {
		DataSourceProxy pool = (DataSourceProxy) dataSource;
		PoolConfiguration settings = pool.getPoolProperties();
		Object own = settings.getDataSource();
		if (own instanceof BeneathDataSource) {
			return;
		}
		if (own != null && !(own instanceof DataSource)) {
			throw new IllegalStateException("it gets its connections from no DataSource");
		}
		Beneath beneath = new Beneath(connections.create(() -> ownStatements(settings)), new Lender(pool));
		DataSource driver = (own != null) ? (DataSource) own : new TomcatDriver(settings);
		settings.setDataSource(new BeneathDataSource(() -> driver, beneath));
		ConnectionPool started = pool.getPool();
		if (started != null) {
			started.purge();
		}
	}

	private static Set<String> ownStatements(PoolConfiguration settings) {
		Set<String> own = new HashSet<>();
		own.add(String.valueOf(settings.getValidationQuery()));
		own.add(String.valueOf(settings.getInitSQL()));
		return own;
	}

	@Override
	public long maxWaitMillis(DataSource pool) {
		int wait = ((DataSourceProxy) pool).getPoolProperties().getMaxWait();
		return (wait >= 0) ? wait : Long.MAX_VALUE;
	}

	private record Lender(DataSourceProxy pool) implements ConnectionLender {

		private static final @Nullable Field BUSY = ReflectionUtils.findField(ConnectionPool.class, "busy");

		static {
			if (BUSY != null) {
				BUSY.setAccessible(true);
			}
		}

		/**
		 * The pool closes what is discarded when it comes back.
		 */
		@Override
		public void marked(Connection connection) {
			ConnectionPool started = this.pool.getPool();
			if (started == null || BUSY == null
					|| !(ReflectionUtils.getField(BUSY, started) instanceof Collection<?> busy)) {
				return;
			}
			for (Object entry : busy) {
				if (entry instanceof PooledConnection pooled && pooled.getConnection() == connection) {
					pooled.setDiscarded(true);
				}
			}
		}

	}

}
