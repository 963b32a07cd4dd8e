package io.github.grpcresilience.benchmarks.variant;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.breaker.PolicyGates;
import io.github.grpcresilience.breaker.resilience4j.BreakerInstances;
import io.github.grpcresilience.breaker.resilience4j.Bulkheads;
import io.github.grpcresilience.policy.AttemptKeys;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.SettingKey;
import io.github.grpcresilience.policy.Side;

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

	private Ours(GrpcResilience.Builder builder, boolean onServer, boolean onClient) {
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
			.policies(Written.policy(Side.SERVER, Map.of(SettingKey.MAX, Duration.ofSeconds(2)))), true, true);
	}

	/**
	 * Up to three attempts, of which one is needed.
	 * @return the variant
	 */
	public static Ours retry() {
		return new Ours(GrpcResilience.builder().policies(Written.policy(Side.CLIENT, retries())), true, true);
	}

	/**
	 * A hedge that never comes.
	 * @return the variant
	 */
	public static Ours hedge() {
		return new Ours(
				GrpcResilience.builder()
					.policies(Written.policy(Side.CLIENT,
							Map.of(AttemptKeys.IDEMPOTENT, true, AttemptKeys.HEDGE_DELAY, HedgeDelay.of(SOON)))),
				true, true);
	}

	/**
	 * Retries, attempt timeout, circuit breaker, bulkhead, and a limit on the server.
	 * Errors are mapped in every variant with a server.
	 * @return the variant
	 */
	public static Ours everything() {
		Map<SettingKey<?>, Object> client = new HashMap<>(retries());
		client.put(SettingKey.BREAKER_INSTANCE, GATE);
		client.put(SettingKey.BULKHEAD, GATE);
		Map<SettingKey<?>, Object> clientOfHeld = new HashMap<>(client);
		client.put(AttemptKeys.ATTEMPT_TIMEOUT, SOON);
		clientOfHeld.put(AttemptKeys.ATTEMPT_TIMEOUT, Duration.ofMinutes(30));
		Map<SettingKey<?>, Object> server = Map.of(SettingKey.MAX_CONCURRENT, MANY);
		CircuitBreakerRegistry breakers = CircuitBreakerRegistry.ofDefaults();
		breakers.circuitBreaker(GATE);
		BulkheadRegistry bulkheads = BulkheadRegistry
			.of(BulkheadConfig.custom().maxConcurrentCalls(MANY).maxWaitDuration(Duration.ZERO).build());
		bulkheads.bulkhead(GATE);
		return new Ours(GrpcResilience.builder()
			.policies(Written.policies(Side.CLIENT, Map.of(Echo.SERVICE, client, Held.SERVICE, clientOfHeld)))
			.policies(Written.policies(Side.SERVER, Map.of(Echo.SERVICE, server, Held.SERVICE, server)))
			.attemptGates(new PolicyGates(List.of(new BreakerInstances(() -> breakers), new Bulkheads(() -> bulkheads)),
					"benchmark")),
				true, true);
	}

	/**
	 * Nothing binds, among many policies for other services.
	 * @param number number of policies on each side
	 * @return the variant
	 */
	public static Ours policies(int number) {
		return new Ours(GrpcResilience.builder()
			.policies(Written.policies(Side.CLIENT, ofOthers(number)))
			.policies(Written.policies(Side.SERVER, ofOthers(number))), true, true);
	}

	private static Map<String, Map<SettingKey<?>, ?>> ofOthers(int number) {
		return IntStream.range(0, number)
			.boxed()
			.collect(Collectors.toMap((i) -> "bench.v1.Other" + i, (i) -> Map.of(SettingKey.MAX, SOON)));
	}

	private static Map<SettingKey<?>, Object> retries() {
		return Map.of(AttemptKeys.IDEMPOTENT, true, AttemptKeys.RETRY_MAX_ATTEMPTS, 3);
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
