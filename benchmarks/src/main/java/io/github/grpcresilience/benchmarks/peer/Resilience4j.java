package io.github.grpcresilience.benchmarks.peer;

import java.util.function.Supplier;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.retry.Retry;
import io.grpc.ManagedChannel;

import io.github.grpcresilience.benchmarks.variant.Calls;
import io.github.grpcresilience.benchmarks.variant.StubCalls;
import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * Retry and circuit breaker of resilience4j around stubs that have a deadline.
 */
public final class Resilience4j implements Variant {

	private final Retry retry = Retry.ofDefaults("bench");

	private final CircuitBreaker breaker = CircuitBreaker.ofDefaults("bench");

	@Override
	public Calls calls(ManagedChannel channel) {
		return new Decorated(new StubCalls(channel, true), this);
	}

	private <T> T call(Supplier<T> stub) {
		return this.retry.executeSupplier(CircuitBreaker.decorateSupplier(this.breaker, stub));
	}

	private record Decorated(Calls stub, Resilience4j engines) implements Calls {

		@Override
		public byte[] unary(byte[] request) {
			return this.engines.call(() -> this.stub.unary(request));
		}

		@Override
		public int stream(byte[] request) {
			return this.engines.call(() -> this.stub.stream(request));
		}

	}

}
