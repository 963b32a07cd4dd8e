package io.github.grpcresilience.frameworks;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * HikariCP's pool under thousands of calls that end while they connect, wait, work and
 * give back.
 */
class HikariPoolTests {

	private static final int SIZE = 4;

	@Test
	void poolIsWholeAfterCallsThatEndedAtAnyMoment() throws Exception {
		Database database = Database.create();
		ScheduledExecutorService evictor = Executors.newSingleThreadScheduledExecutor();
		try (App app = App.of()
			.auto(DataSourceAutoConfiguration.class)
			.with(database.properties())
			.with("spring.datasource.hikari.maximum-pool-size=" + SIZE)
			.start()) {
			HikariDataSource pool = app.bean(HikariDataSource.class);
			app.on("work", () -> work(pool));
			ScheduledFuture<?> evictions = evictor.scheduleAtFixedRate(
					() -> pool.getHikariPoolMXBean().softEvictConnections(), 7, 7, TimeUnit.MILLISECONDS);
			new Soak(2_000, 8, 40).run(app, "work");
			evictions.cancel(false);

			App.soon().until(() -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
			List<Connection> all = new ArrayList<>();
			for (int i = 0; i < SIZE; i++) {
				all.add(pool.getConnection());
				work(all.get(i));
			}
			App.soon().untilAsserted(() -> assertThat(database.sessions()).isEqualTo(SIZE));
			for (Connection connection : all) {
				connection.close();
			}
		}
		finally {
			evictor.shutdownNow();
		}
	}

	private static String work(HikariDataSource pool) throws SQLException {
		try (Connection connection = pool.getConnection()) {
			work(connection);
			return "worked";
		}
	}

	private static void work(Connection connection) throws SQLException {
		try (Statement statement = connection.createStatement()) {
			statement.execute("select pg_sleep(0.007)");
		}
	}

}
