package io.github.grpcresilience.benchmarks.variant;

import java.time.Duration;
import java.util.stream.IntStream;

import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.gate.resilience4j.BreakerInstances;
import io.github.grpcresilience.gate.resilience4j.Bulkheads;
import io.github.grpcresilience.policy.ClientPolicies;
import io.github.grpcresilience.policy.HedgeDelay;

/**
 * This library, on one side or both.
 */
public final class Ours implements Variant {

	private static final String GATE = "bench";

	private static final int MANY = 1_000_000;

	/** Shorter than what is left to a call, or it would mean nothing. */
	private static final Duration SOON = Duration.ofSeconds(1);

	private final GrpcResilience resilience;

	private final boolean onServer;

	private final boolean onClient;

	private Ours(GrpcResilienceBuilder builder, boolean onServer, boolean onClient) {
		this.resilience = builder.build();
		this.onServer = onServer;
		this.onClient = onClient;
	}

	/**
	 * Nothing configured: calls have a deadline that nothing changes.
	 * @return the variant
	 */
	public static Ours defaults() {
		return new Ours(GrpcResilience.builder(), true, true);
	}

	/**
	 * The same, only where calls are made.
	 * @return the variant
	 */
	public static Ours client() {
		return new Ours(GrpcResilience.builder(), false, true);
	}

	/**
	 * The same, only where calls are served.
	 * @return the variant
	 */
	public static Ours server() {
		return new Ours(GrpcResilience.builder(), true, false);
	}

	/**
	 * The server allows calls less than their callers do.
	 * @return the variant
	 */
	public static Ours cap() {
		return new Ours(GrpcResilience.builder()
			.server((server) -> server.policy("bench",
					(bench) -> bench.methods(Echo.SERVICE).maxDeadline(Duration.ofSeconds(2)))),
				true, true);
	}

	/**
	 * Up to three attempts, of which one is needed.
	 * @return the variant
	 */
	public static Ours retry() {
		return new Ours(
				GrpcResilience.builder()
					.client((client) -> client.policy("bench", (bench) -> retried(bench.methods(Echo.SERVICE)))),
				true, true);
	}

	/**
	 * A hedge that never comes.
	 * @return the variant
	 */
	public static Ours hedge() {
		return new Ours(GrpcResilience.builder()
			.client((client) -> client.policy("bench",
					(bench) -> bench.methods(Echo.SERVICE)
						.idempotent()
						.hedge((hedge) -> hedge.delay(HedgeDelay.of(SOON))))),
				true, true);
	}

	/**
	 * Retries, attempt timeout, circuit breaker, bulkhead, and a limit on the server.
	 * Errors are mapped in every variant with a server.
	 * @return the variant
	 */
	public static Ours everything() {
		CircuitBreakerRegistry breakers = CircuitBreakerRegistry.ofDefaults();
		breakers.circuitBreaker(GATE);
		BulkheadRegistry bulkheads = BulkheadRegistry
			.of(BulkheadConfig.custom().maxConcurrentCalls(MANY).maxWaitDuration(Duration.ZERO).build());
		bulkheads.bulkhead(GATE);
		return new Ours(
				GrpcResilience.builder()
					.client((client) -> client
						.policy("bench",
								(bench) -> gated(bench.methods(Echo.SERVICE))
									.retry((retry) -> retry.attemptTimeout(SOON)))
						.policy("held",
								(held) -> gated(held.methods(Held.SERVICE))
									.retry((retry) -> retry.attemptTimeout(Duration.ofMinutes(30)))))
					.server((server) -> server.policy("bench",
							(bench) -> bench.methods(Echo.SERVICE, Held.SERVICE).maxConcurrent(MANY)))
					.gates(new BreakerInstances(() -> breakers), new Bulkheads(() -> bulkheads)),
				true, true);
	}

	/**
	 * Nothing binds, among many policies for other services.
	 * @param number number of policies on each side
	 * @return the variant
	 */
	public static Ours policies(int number) {
		return new Ours(
				GrpcResilience.builder()
					.client((client) -> IntStream.range(0, number)
						.forEach((i) -> client.policy("other-" + i,
								(other) -> other.methods("bench.v1.Other" + i).maxDeadline(SOON))))
					.server((
							server) -> IntStream.range(0, number)
								.forEach((i) -> server.policy("other-" + i,
										(other) -> other.methods("bench.v1.Other" + i).maxDeadline(SOON)))),
				true, true);
	}

	private static ClientPolicies.Policy retried(ClientPolicies.Policy policy) {
		return policy.idempotent().retry((retry) -> retry.maxAttempts(3));
	}

	private static ClientPolicies.Policy gated(ClientPolicies.Policy policy) {
		return retried(policy).circuitBreaker(GATE).bulkhead(GATE);
	}

	@Override
	public void serve(ServerBuilder<?> server) {
		if (this.onServer) {
			this.resilience.protect(server);
		}
	}

	@Override
	public void dial(ManagedChannelBuilder<?> channel) {
		if (this.onClient) {
			channel.intercept(this.resilience.client("bench"));
		}
	}

	@Override
	public void close() {
		this.resilience.close();
	}

}
