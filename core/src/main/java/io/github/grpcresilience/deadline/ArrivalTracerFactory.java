package io.github.grpcresilience.deadline;

import java.util.concurrent.Executor;

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

	/** Sent with every attempt but the first (gRFC A6). */
	private static final Metadata.Key<String> PREVIOUS_ATTEMPTS = Metadata.Key.of("grpc-previous-rpc-attempts",
			Metadata.ASCII_STRING_MARSHALLER);

	private final KnownMethods methods;

	private final Deadline.Ticker ticker;

	private final Executor cancellations;

	ArrivalTracerFactory(KnownMethods methods, Deadline.Ticker ticker, Executor cancellations) {
		this.methods = methods;
		this.ticker = ticker;
		this.cancellations = cancellations;
	}

	@Override
	public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
		return this.methods.isExempt(fullMethodName) ? NONE
				: new ServerCallState(this.ticker, headers.containsKey(PREVIOUS_ATTEMPTS), this.cancellations);
	}

}
