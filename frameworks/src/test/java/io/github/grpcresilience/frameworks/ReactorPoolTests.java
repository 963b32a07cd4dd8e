package io.github.grpcresilience.frameworks;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Status;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.pool.InstrumentedPool;
import reactor.pool.PoolBuilder;
import reactor.pool.PooledRef;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * A pool of Reactor's own, which others build theirs on: what calls begin in it, it needs
 * itself.
 */
class ReactorPoolTests {

	private static final int SIZE = 2;

	private static App app;

	@BeforeAll
	static void start() {
		app = App.of().start();
	}

	@AfterAll
	static void stop() {
		app.close();
	}

	@Test
	void poolIsWholeAfterCallsThatEndedWhileItAllocated() {
		InstrumentedPool<Integer> pool = pool(Duration.ofMillis(450));
		app.on("acquire", () -> use(pool, 0));
		List<ListenableFuture<String>> calls = List.of(app.begin("acquire", 200), app.begin("acquire", 200));
		calls.forEach((call) -> assertThat(Status.fromThrowable(catchThrowable(call::get)).getCode())
			.isEqualTo(Status.Code.DEADLINE_EXCEEDED));
		app.awaitIdle();
		assertWhole(pool);
	}

	@Test
	void poolIsWholeAfterCallsThatEndedAtAnyMoment() throws Exception {
		InstrumentedPool<Integer> pool = pool(Duration.ofMillis(15));
		app.on("acquire", () -> use(pool, 10));
		new Soak(400, 6, 90).run(app, "acquire");
		assertWhole(pool);
	}

	private static InstrumentedPool<Integer> pool(Duration allocation) {
		AtomicInteger number = new AtomicInteger();
		return PoolBuilder.from(Mono.delay(allocation).map((tick) -> number.incrementAndGet()))
			.sizeBetween(0, SIZE)
			.evictionPredicate((value, data) -> data.acquireCount() >= 3)
			.buildPool();
	}

	private static String use(InstrumentedPool<Integer> pool, long millis) {
		PooledRef<Integer> borrowed = pool.acquire().block();
		try {
			LockSupport.parkNanos(Duration.ofMillis(millis).toNanos());
			return "used";
		}
		finally {
			borrowed.release().block();
		}
	}

	private static void assertWhole(InstrumentedPool<Integer> pool) {
		App.soon().untilAsserted(() -> {
			assertThat(pool.metrics().acquiredSize()).isZero();
			assertThat(pool.metrics().pendingAcquireSize()).isZero();
		});
		List<PooledRef<Integer>> all = Flux.merge(pool.acquire(), pool.acquire())
			.collectList()
			.block(Duration.ofSeconds(10));
		assertThat(all).hasSize(SIZE);
		all.forEach((borrowed) -> borrowed.release().block(Duration.ofSeconds(10)));
		assertThat(pool.metrics().acquiredSize()).isZero();
	}

}
