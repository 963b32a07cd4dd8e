package io.github.grpcresilience.sample.shared;

import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;

/**
 * Counts what a stub really sends: whoever makes attempts, each of them is a stream. Safe
 * for concurrent use.
 */
public final class CountedAttempts implements ClientInterceptor {

	private static final ClientStreamTracer NONE = new ClientStreamTracer() {
	};

	private final AtomicInteger streams = new AtomicInteger();

	/**
	 * Attempts so far.
	 * @return the number
	 */
	public int count() {
		return this.streams.get();
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
			CallOptions options, Channel next) {
		return next.newCall(method, options.withStreamTracerFactory(new Counting()));
	}

	private final class Counting extends ClientStreamTracer.Factory {

		@Override
		public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
			CountedAttempts.this.streams.incrementAndGet();
			return NONE;
		}

	}

}
