package io.github.grpcresilience.internal.attempt;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.AttemptSettings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The only server is gone, long enough for the backoff of its callers' channel to grow,
 * and comes back.
 */
@Timeout(value = 300, threadMode = ThreadMode.SEPARATE_THREAD)
class RestartTests {

	private static final int CALLERS = 6;

	/** An outage lasts until every caller has failed so often. */
	private static final int OUTAGE_CALLS = Integer.getInteger("restart.calls", 4);

	private static final int CALLS_AFTER = 50;

	private final Loopback loopback = new Loopback();

	private final ExecutorService callers = Executors.newFixedThreadPool(CALLERS);

	private final AtomicInteger failures = new AtomicInteger();

	private final AtomicInteger successes = new AtomicInteger();

	private final AtomicInteger failuresAfter = new AtomicInteger();

	private final AtomicLong firstNanos = new AtomicLong();

	private volatile boolean down = true;

	@AfterEach
	void close() {
		this.callers.shutdownNow();
		this.loopback.close();
	}

	private static Server start(int port) throws IOException {
		return NettyServerBuilder.forPort(port).addService(new Shop().unary(Shop::echo)).build().start();
	}

	private void call(ManagedChannel channel) {
		int calls = 0;
		while (this.down || calls < CALLS_AFTER) {
			boolean answered = Calls.run(channel, Shop.UNARY, Loopback.within(15_000)).status().isOk();
			if (answered) {
				this.firstNanos.compareAndSet(0, System.nanoTime());
				this.successes.incrementAndGet();
				calls++;
			}
			else {
				this.failures.incrementAndGet();
				if (this.successes.get() > 0) {
					this.failuresAfter.incrementAndGet();
				}
			}
		}
	}

	@Test
	void callersAreBackWithTheServer() throws Exception {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.policies(Policies.client()
				.policy("shop", "test.v1.Shop")
				.with(AttemptSettings.IDEMPOTENT, true)
				.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 3)
				.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(20))
				.end()
				.define()));
		Server first = start(0);
		int port = first.getPort();
		ManagedChannel channel = Calls.warm(this.loopback.channel(port, resilience, "shop"));
		resilience.learn("shop", channel);
		first.shutdownNow();
		assertThat(first.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
		long outage = System.nanoTime();
		List<CompletableFuture<Void>> ended = new ArrayList<>();
		for (int i = 0; i < CALLERS; i++) {
			ended.add(CompletableFuture.runAsync(() -> call(channel), this.callers));
		}
		await().atMost(200, TimeUnit.SECONDS).until(() -> this.failures.get() >= CALLERS * OUTAGE_CALLS);
		int before = this.failures.get();
		Server second = start(port);
		long open = System.nanoTime();
		this.down = false;
		try {
			CompletableFuture.allOf(ended.toArray(CompletableFuture[]::new)).get(100, TimeUnit.SECONDS);
		}
		finally {
			second.shutdownNow();
		}
		assertThat(this.failures.get() - before).as("calls that failed although the port was open")
			.isLessThanOrEqualTo(2 * CALLERS);
		assertThat(this.failuresAfter).as("calls that failed after the first answer").hasValue(0);
		assertThat(this.successes).hasValue(CALLERS * CALLS_AFTER);
		await().until(() -> resilience.inspection().pendingTimeouts() == 0);
		Measured.note(
				"restart after %d ms: first answer %d ms after the port was open, %d calls of %d callers failed meanwhile"
					.formatted(TimeUnit.NANOSECONDS.toMillis(open - outage),
							TimeUnit.NANOSECONDS.toMillis(this.firstNanos.get() - open), this.failures.get() - before,
							CALLERS));
	}

}
