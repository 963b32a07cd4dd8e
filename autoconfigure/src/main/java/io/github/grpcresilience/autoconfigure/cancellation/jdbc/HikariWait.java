package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.sql.Connection;
import java.sql.SQLException;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;

/**
 * What a proxy in front of a pool of HikariCP can do. Loaded only where HikariCP is.
 */
final class HikariWait {

	private HikariWait() {
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
