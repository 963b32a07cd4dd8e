package io.github.grpcresilience.frameworks;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

import io.grpc.Status;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.PoolMetrics;
import io.r2dbc.spi.Connection;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.r2dbc.R2dbcAutoConfiguration;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * R2DBC's pool, used by handlers that block: what they borrow they give back, and what
 * they hold they let go, after the end of their calls too.
 */
class R2dbcPoolTests {

	private static final int SIZE = 2;

	private static Database database;

	private static App app;

	private static ConnectionPool pool;

	@BeforeAll
	static void start() {
		database = Database.create();
		app = App.of()
			.auto(R2dbcAutoConfiguration.class)
			.with("spring.r2dbc.url=r2dbc:postgresql://localhost:" + Database.port() + "/" + database.name()
					+ "?applicationName=app", "spring.r2dbc.username=postgres", "spring.r2dbc.pool.initial-size=0",
					"spring.r2dbc.pool.max-size=" + SIZE, "spring.r2dbc.pool.max-life-time=60ms")
			.start();
		pool = app.bean(ConnectionPool.class);
		app.on("warm up", () -> with((connection) -> execute(connection, "select 1")));
		app.call("warm up", App.LONG_MILLIS);
	}

	@AfterAll
	static void stop() {
		app.close();
	}

	@ParameterizedTest
	@EnumSource
	void connectionsAndLocksOfCallsThatHaveEndedAreFree(End end) {
		app.on("hold", () -> with((connection) -> {
			execute(connection, "select pg_advisory_lock(7)");
			try {
				App.untilTheEnd();
			}
			finally {
				execute(connection, "select pg_advisory_unlock(7)");
			}
		}));
		for (int i = 0; i < SIZE + 1; i++) {
			end.of(app, "hold", () -> metrics().acquiredSize() == 1);
		}
		assertThat(database.value("select pg_try_advisory_lock(7)")).isEqualTo("t");
		assertWhole();
	}

	@Test
	void callsThatEndWhileTheyWaitTakeNothingWithThem() {
		List<Connection> all = acquireAll();
		app.on("wait", () -> with((connection) -> execute(connection, "select 1")));
		for (int i = 0; i < SIZE + 1; i++) {
			assertThat(app.code("wait", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		}
		close(all);
		app.awaitIdle();
		assertWhole();
	}

	@Test
	void poolIsWholeAfterCallsThatEndedAtAnyMoment() throws Exception {
		app.on("work", () -> with((connection) -> execute(connection, "select pg_sleep(0.007)")));
		new Soak(500, 6, 90).run(app, "work");
		assertWhole();
	}

	private static PoolMetrics metrics() {
		return pool.getMetrics().orElseThrow();
	}

	private static String with(Consumer<Connection> work) {
		Connection connection = pool.create().block();
		try {
			work.accept(connection);
			return "done";
		}
		finally {
			Mono.from(connection.close()).block();
		}
	}

	private static void execute(Connection connection, String sql) {
		Flux.from(connection.createStatement(sql).execute())
			.flatMap((result) -> result.map((row, metadata) -> 1))
			.blockLast();
	}

	/**
	 * Outside of any call it lends all that it has, and the database knows of no more.
	 */
	private static void assertWhole() {
		App.soon().untilAsserted(() -> {
			assertThat(metrics().acquiredSize()).isZero();
			assertThat(metrics().pendingAcquireSize()).isZero();
		});
		List<Connection> all = acquireAll();
		all.forEach((connection) -> execute(connection, "select 1"));
		App.soon().untilAsserted(() -> assertThat(database.sessions()).isEqualTo(SIZE));
		close(all);
	}

	private static List<Connection> acquireAll() {
		List<Connection> all = Flux.merge(pool.create(), pool.create()).collectList().block(Duration.ofSeconds(10));
		assertThat(all).hasSize(SIZE);
		return all;
	}

	private static void close(List<Connection> connections) {
		connections.forEach((connection) -> Mono.from(connection.close()).block(Duration.ofSeconds(10)));
	}

}
