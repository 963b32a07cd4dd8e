package io.github.grpcresilience.sample.shared;

import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.stub.AbstractStub;

/**
 * Counts what a stub really sends: whoever makes attempts, each of them is a stream. Safe
 * for concurrent use.
 */
public final class CountedAttempts extends ClientStreamTracer.Factory {

	private final AtomicInteger streams = new AtomicInteger();

	/**
	 * Has the calls of a stub counted.
	 * @param stub the stub
	 * @return the stub for the calls to be counted
	 */
	public <S extends AbstractStub<S>> S of(S stub) {
		return stub.withInterceptors(new CountingInterceptor(this));
	}

	/**
	 * Attempts so far.
	 * @return the number
	 */
	public int count() {
		return this.streams.get();
	}

	@Override
	public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
		this.streams.incrementAndGet();
		return new ClientStreamTracer() {
		};
	}

}
