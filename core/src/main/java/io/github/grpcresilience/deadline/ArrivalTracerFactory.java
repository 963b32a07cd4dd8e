package io.github.grpcresilience.deadline;

import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;

import io.github.grpcresilience.method.KnownMethods;

/**
 * Notes when each call arrived, on the transport thread and so before it waits for its
 * executor; an interceptor would only see it dequeued.
 */
final class ArrivalTracerFactory extends ServerStreamTracer.Factory {

	private static final ServerStreamTracer NONE = new ServerStreamTracer() {
	};

	private final KnownMethods methods;

	private final Deadline.Ticker ticker;

	ArrivalTracerFactory(KnownMethods methods, Deadline.Ticker ticker) {
		this.methods = methods;
		this.ticker = ticker;
	}

	@Override
	public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
		return this.methods.isExempt(fullMethodName) ? NONE : new ServerCallState(this.ticker);
	}

}
