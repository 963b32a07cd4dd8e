package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts.Sums;
import io.github.grpcresilience.test.Relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * One call after the other that ends while the database is busy for it: its statement
 * ends as well, its transaction is rolled back, and no connection is lost by that.
 */
class CancelTests {

	private static final long LONG_MILLIS = 25_000;

	private static final int CALLS = Integer.getInteger("soak.cancels", 4);

	private static final int CONNECTIONS = 3;

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final ExecutorService handlers = Executors.newCachedThreadPool();

	@AfterEach
	void end() {
		this.handlers.shutdownNow();
		this.resilience.close();
	}

	@OnMariaDb
	void cancelKeepsTheConnectionOnMariaDb(Database database) throws Exception {
		cancelKeepsTheConnection(database);
	}

	@OnEmbeddedDatabases
	void cancelKeepsTheConnection(Database database) throws Exception {
		cancel(database, database.url(), "loopback");
	}

	@OnMariaDb
	void cancelOverSlowNetworkKeepsTheConnectionOnMariaDb(Database database) throws Exception {
		cancelOverSlowNetworkKeepsTheConnection(database);
	}

	@Test
	void cancelOverSlowNetworkKeepsTheConnection() throws Exception {
		cancelOverSlowNetworkKeepsTheConnection(Database.POSTGRES);
	}

	private void cancelOverSlowNetworkKeepsTheConnection(Database database) throws Exception {
		try (Relay network = new Relay(database.port(), Duration.ofMillis(30))) {
			cancel(database, database.url(network.port()), "round trips of 60 ms");
		}
	}

	private void cancel(Database database, String url, String network) throws Exception {
		try (HikariDataSource pool = database.pool(CONNECTIONS, url); Connection monitor = database.connect()) {
			DataSource dataSource = this.resilience.work().dataSource(pool);
			Set<Connection> before = connections(pool);
			long[] untilIdle = new long[CALLS];
			for (int i = 0; i < CALLS; i++) {
				untilIdle[i] = untilIdle(database, dataSource, monitor);
			}
			// Derby may hand out rows as if nothing were, which are refused then. What is
			// counted is counted after the database has let go.
			await().untilAsserted(() -> {
				Sums sums = this.resilience.inspection().stoppedWork().sums(Work.STATEMENT);
				assertThat(sums.cancelled() + sums.refused()).isEqualTo(CALLS);
			});
			Set<Connection> lost = before;
			lost.removeAll(connections(pool));
			Measured.note(database + ", " + CALLS + " cancels, " + network + ": database idle after the call's end: "
					+ Measured.percentiles(untilIdle) + "; connections lost " + lost.size());
			assertThat(lost).isEmpty();
		}
	}

	private long untilIdle(Database database, DataSource dataSource, Connection monitor) throws Exception {
		TestCall call = TestCall.begin();
		call.stopClock();
		CompletableFuture<Void> begun = new CompletableFuture<>();
		CallWork work = new CallWork(call);
		Future<?> handler = this.handlers.submit(() -> {
			work.run(() -> handle(database, dataSource, begun));
			return null;
		});
		begun.get(10, TimeUnit.SECONDS);
		await().pollInterval(Duration.ofMillis(1)).until(() -> database.running(monitor) == 1);
		long end = System.nanoTime();
		call.abandon();
		await().pollInterval(Duration.ofMillis(1)).until(() -> database.running(monitor) == 0);
		long nanos = System.nanoTime() - end;
		handler.get(10, TimeUnit.SECONDS);
		call.close();
		return nanos;
	}

	private static void handle(Database database, DataSource dataSource, CompletableFuture<Void> begun)
			throws SQLException {
		try (Connection connection = dataSource.getConnection(); Statement insert = connection.createStatement()) {
			connection.setAutoCommit(false);
			insert.executeUpdate("insert into naps values (7)");
			begun.complete(null);
			assertThatExceptionOfType(SQLTimeoutException.class)
				.isThrownBy(() -> database.keepBusy(connection, LONG_MILLIS));
			connection.rollback();
			assertThat(insert.executeUpdate("delete from naps")).isZero();
			connection.commit();
		}
	}

	/** The driver's own. */
	private static Set<Connection> connections(HikariDataSource pool) throws SQLException {
		Set<Connection> connections = Collections.newSetFromMap(new IdentityHashMap<>());
		List<Connection> lent = new ArrayList<>();
		for (int i = 0; i < CONNECTIONS; i++) {
			Connection connection = pool.getConnection();
			lent.add(connection);
			connections.add(connection.unwrap(Connection.class));
		}
		for (Connection connection : lent) {
			connection.close();
		}
		return connections;
	}

}
