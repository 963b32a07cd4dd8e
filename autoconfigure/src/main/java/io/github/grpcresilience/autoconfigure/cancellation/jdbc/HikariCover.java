package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.util.HashSet;
import java.util.Properties;
import java.util.Set;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import com.zaxxer.hikari.util.ConcurrentBag;
import com.zaxxer.hikari.util.ConcurrentBag.IConcurrentBagEntry;
import com.zaxxer.hikari.util.DriverDataSource;
import com.zaxxer.hikari.util.PropertyElf;
import com.zaxxer.hikari.util.UtilityElf;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ReflectionUtils;

import io.github.grpcresilience.internal.cancel.jdbc.CallConnections;
import io.github.grpcresilience.internal.cancel.jdbc.ConnectionLender;

/**
 * HikariCP. A pool that has not started is told to use our data source, which makes what
 * the pool would have made, of the pool's own settings at that time. One that has started
 * gets ours in place of what it has, and replaces its connections one by one. Loaded only
 * where HikariCP is.
 */
final class HikariCover implements PoolCover {

	@Override
	public boolean fits(DataSource dataSource) {
		return dataSource instanceof HikariDataSource;
	}

	@Override
	public @Nullable CallConnections find(DataSource dataSource) {
		HikariDataSource pool = (HikariDataSource) dataSource;
		return BeneathDataSource.find((pool.getHikariPoolMXBean() instanceof HikariPool started)
				? ReflectionUtils.getField(source(), started) : pool.getDataSource());
	}

	@Override
	public void cover(DataSource dataSource, Factory connections) {
		HikariDataSource pool = (HikariDataSource) dataSource;
		Beneath beneath = new Beneath(connections.create(() -> ownStatements(pool)), new Lender(pool, new Entries()));
		if (pool.getHikariPoolMXBean() instanceof HikariPool started) {
			replace(started, beneath);
			started.softEvictConnections();
		}
		else {
			DataSource own = pool.getDataSource();
			if (own == null && pool.getDataSourceJNDI() != null) {
				throw new IllegalStateException("it gets its connections from JNDI");
			}
			pool.setDataSource(new BeneathDataSource(() -> (own != null) ? own : driverOf(pool), beneath));
		}
	}

	private static void replace(HikariPool started, Beneath beneath) {
		DataSource driver = (DataSource) ReflectionUtils.getField(source(), started);
		if (driver != null) {
			ReflectionUtils.setField(source(), started, new BeneathDataSource(() -> driver, beneath));
		}
	}

	private static Field source() {
		return field(HikariPool.class.getSuperclass(), "dataSource");
	}

	/**
	 * What the pool itself would make.
	 */
	private static DataSource driverOf(HikariDataSource pool) {
		String type = pool.getDataSourceClassName();
		if (type != null) {
			DataSource driver = UtilityElf.createInstance(type, DataSource.class);
			Properties properties = pool.getDataSourceProperties();
			PropertyElf.setTargetFromProperties(driver, properties);
			return driver;
		}
		return new DriverDataSource(pool.getJdbcUrl(), pool.getDriverClassName(), pool.getDataSourceProperties(),
				pool.getUsername(), pool.getPassword());
	}

	private static Set<String> ownStatements(HikariDataSource pool) {
		Set<String> own = new HashSet<>();
		own.add(String.valueOf(pool.getConnectionTestQuery()));
		own.add(String.valueOf(pool.getConnectionInitSql()));
		return own;
	}

	@Override
	public long maxWaitMillis(DataSource pool) {
		return ((HikariDataSource) pool).getConnectionTimeout();
	}

	private static Field field(Class<?> type, String name) {
		Field field = ReflectionUtils.findField(type, name);
		if (field == null) {
			throw new IllegalStateException("this HikariCP has no " + type.getSimpleName() + "." + name);
		}
		field.setAccessible(true);
		return field;
	}

	/**
	 * Marks the entry of a connection, so that the pool closes it when it comes back.
	 * HikariCP can only be asked to close a connection that is in use, under whoever
	 * rolls back.
	 */
	private record Lender(HikariDataSource pool, Entries entries) implements ConnectionLender {

		@Override
		public void marked(Connection connection) {
			if (this.pool.getHikariPoolMXBean() instanceof HikariPool started) {
				this.entries.mark(started, connection);
			}
		}

	}

	/**
	 * The entries of a pool, of which HikariCP tells nobody.
	 */
	private static final class Entries {

		private final Field bag = field(HikariPool.class, "connectionBag");

		private final Field connection;

		private final Method markEvicted;

		Entries() {
			try {
				Class<?> type = Class.forName("com.zaxxer.hikari.pool.PoolEntry", false,
						HikariPool.class.getClassLoader());
				this.connection = field(type, "connection");
				this.markEvicted = type.getDeclaredMethod("markEvicted");
				this.markEvicted.setAccessible(true);
			}
			catch (ReflectiveOperationException ex) {
				throw new IllegalStateException("this HikariCP marks no connections", ex);
			}
		}

		void mark(HikariPool pool, Connection lent) {
			ConcurrentBag<?> entries = (ConcurrentBag<?>) ReflectionUtils.getField(this.bag, pool);
			if (entries == null) {
				return;
			}
			for (Object entry : entries.values(IConcurrentBagEntry.STATE_IN_USE)) {
				@Nullable Object held = ReflectionUtils.getField(this.connection, entry);
				if (held == lent) {
					ReflectionUtils.invokeMethod(this.markEvicted, entry);
				}
			}
		}

	}

}
