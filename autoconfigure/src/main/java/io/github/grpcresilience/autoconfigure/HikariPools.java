package io.github.grpcresilience.autoconfigure;

import java.sql.Connection;
import java.sql.SQLException;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;

import io.github.grpcresilience.cancel.jdbc.CallConnections;
import io.github.grpcresilience.cancel.jdbc.ConnectionEvictor;

/**
 * What HikariCP's pools can do beyond JDBC. Loaded only where HikariCP is.
 */
final class HikariPools {

	private HikariPools() {
	}

	/**
	 * Whether a pool of ours can take its place: nobody has a connection of it.
	 */
	static boolean isPlainAndNotStarted(Object dataSource) {
		return dataSource.getClass() == HikariDataSource.class
				&& ((HikariDataSource) dataSource).getHikariPoolMXBean() == null;
	}

	static AutoCloseable replace(Object dataSource, CallConnections connections) {
		return new CallHikariDataSource((HikariDataSource) dataSource, connections);
	}

	static ConnectionEvictor evictorOf(DataSource dataSource) {
		return (dataSource instanceof HikariDataSource pool) ? pool::evictConnection : ConnectionEvictor.NONE;
	}

	/**
	 * Waits no longer than a call has time.
	 * @return {@code null} if the data source waits less anyway, or is no started pool
	 */
	static @Nullable Connection findConnection(DataSource dataSource, long maxMillis) throws SQLException {
		return (dataSource instanceof HikariDataSource hikari && maxMillis < hikari.getConnectionTimeout()
				&& !hikari.isClosed() && hikari.getHikariPoolMXBean() instanceof HikariPool pool)
						? pool.getConnection(maxMillis) : null;
	}

	/**
	 * Spring Boot's metrics read the field of the bean itself, also of a proxy.
	 */
	static void showPool(DataSource dataSource, Object proxy) {
		if (dataSource instanceof HikariDataSource hikari && hikari.getHikariPoolMXBean() != null) {
			new DirectFieldAccessor(proxy).setPropertyValue("pool", hikari.getHikariPoolMXBean());
		}
	}

}
