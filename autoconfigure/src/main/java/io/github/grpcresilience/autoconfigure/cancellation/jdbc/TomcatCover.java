package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.util.HashSet;
import java.util.Set;

import javax.sql.DataSource;

import org.apache.tomcat.jdbc.pool.ConnectionPool;
import org.apache.tomcat.jdbc.pool.DataSourceProxy;
import org.apache.tomcat.jdbc.pool.PoolConfiguration;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.cancel.jdbc.CallConnections;

/**
 * Tomcat's pool. Loaded only where it is.
 */
final class TomcatCover implements PoolCover {

	@Override
	public boolean fits(DataSource dataSource) {
		return dataSource instanceof DataSourceProxy;
	}

	@Override
	public @Nullable CallConnections find(DataSource pool) {
		return BeneathDataSource.find(((DataSourceProxy) pool).getPoolProperties().getDataSource());
	}

	@Override
	public void cover(DataSource dataSource, Factory connections) {
		DataSourceProxy pool = (DataSourceProxy) dataSource;
		PoolConfiguration settings = pool.getPoolProperties();
		Object own = settings.getDataSource();
		if (own != null && !(own instanceof DataSource)) {
			throw new IllegalStateException("it gets its connections from no DataSource");
		}
		Beneath beneath = new Beneath(connections.create(() -> ownStatements(settings)),
				new ReturningLender(ConnectionPool.class, "returnConnection"));
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

}
