package io.github.grpcresilience.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ClientCalls;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.benchmarks.variant.Echo;
import io.github.grpcresilience.policy.ClientPolicies;
import io.github.grpcresilience.policy.HedgeDelay;

/**
 * What a client's policies cost a call that succeeds: a blocking unary call in one
 * process, on one thread, with a deadline of its own in every variant.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class CallCost {

	private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

	@Param({ "BARE", "NO_POLICY", "RETRY", "RETRY_WITH_TIMEOUT", "HEDGE", "NATIVE_RETRY" })
	private Variant variant = Variant.BARE;

	private final Server server = InProcessServerBuilder.forName("cost")
		.directExecutor()
		.addService(Echo.atOnce())
		.build();

	@SuppressWarnings("NullAway.Init") // by JMH
	private GrpcResilience resilience;

	@SuppressWarnings("NullAway.Init") // by JMH
	private ManagedChannel channel;

	/** What stands between the stub and the channel. */
	public enum Variant {

		/** grpc-java with a deadline. */
		BARE,

		/** Ours, where no policy asks for attempts. */
		NO_POLICY,

		/** Ours, with retries. */
		RETRY,

		/** Ours, with retries and an attempt timeout. */
		RETRY_WITH_TIMEOUT,

		/** Ours, with a hedge that never comes. */
		HEDGE,

		/** grpc-java with a retry policy by service config. */
		NATIVE_RETRY

	}

	/**
	 * Starts a server and a client.
	 * @throws IOException if the server cannot be started
	 */
	@Setup(Level.Trial)
	public void start() throws IOException {
		this.server.start();
		this.resilience = GrpcResilience.builder().client((client) -> client.policy("bench", this::policy)).build();
		InProcessChannelBuilder builder = InProcessChannelBuilder.forName("cost").directExecutor();
		if (this.variant == Variant.NATIVE_RETRY) {
			builder.enableRetry()
				.defaultServiceConfig(Map.of("methodConfig",
						List.of(Map.of("name", List.of(Map.of("service", Echo.SERVICE)), "retryPolicy",
								Map.of("maxAttempts", 3.0, "initialBackoff", "0.05s", "maxBackoff", "1s",
										"backoffMultiplier", 2.0, "retryableStatusCodes", List.of("UNAVAILABLE"))))));
		}
		else if (this.variant != Variant.BARE) {
			builder.intercept(this.resilience.client("cost"));
		}
		this.channel = builder.build();
	}

	private void policy(ClientPolicies.Policy policy) {
		policy.methods(Echo.SERVICE).idempotent();
		switch (this.variant) {
			case RETRY -> policy.retry((retry) -> retry.maxAttempts(3));
			case RETRY_WITH_TIMEOUT ->
				policy.retry((retry) -> retry.maxAttempts(3).attemptTimeout(Duration.ofSeconds(1)));
			case HEDGE -> policy.hedge((hedge) -> hedge.delay(HedgeDelay.of(Duration.ofSeconds(1))));
			default -> {
			}
		}
	}

	/**
	 * Ends both.
	 */
	@TearDown(Level.Trial)
	public void end() {
		this.channel.shutdownNow();
		this.server.shutdownNow();
		this.resilience.close();
	}

	/**
	 * Makes a call.
	 * @return the answer
	 */
	@Benchmark
	public byte[] call() {
		return ClientCalls.blockingUnaryCall(this.channel, Echo.UNARY,
				CallOptions.DEFAULT.withDeadlineAfter(5, TimeUnit.SECONDS), HELLO);
	}

}
