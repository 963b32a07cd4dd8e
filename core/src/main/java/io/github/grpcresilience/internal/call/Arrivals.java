package io.github.grpcresilience.internal.call;

import java.util.concurrent.Executor;

import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.method.ServedMethods;

/**
 * Notes when each call arrived, on the transport thread and so before it waits for its
 * executor; an interceptor would only see it dequeued. Safe for concurrent use.
 */
public final class Arrivals extends ServerStreamTracer.Factory {

	private static final ServerStreamTracer NONE = new ServerStreamTracer() {
	};

	/** Sent with every attempt but the first (gRFC A6). */
	private static final Metadata.Key<String> PREVIOUS_ATTEMPTS = Metadata.Key.of("grpc-previous-rpc-attempts",
			Metadata.ASCII_STRING_MARSHALLER);

	private final ServedMethods methods;

	private final Deadline.Ticker ticker;

	private final Executor cancellations;

	/**
	 * Creates the factory.
	 * @param methods methods of the server
	 * @param ticker source of time
	 * @param cancellations runs cancellation listeners of the application; its threads
	 * may be blocked by them
	 */
	public Arrivals(ServedMethods methods, Deadline.Ticker ticker, Executor cancellations) {
		this.methods = methods;
		this.ticker = ticker;
		this.cancellations = cancellations;
	}

	@Override
	public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
		@Nullable ServedMethod method = this.methods.find(fullMethodName);
		boolean exempt = (method != null) ? method.policy().exempt() : this.methods.isExempt(fullMethodName);
		return exempt ? NONE
				: new ServedCall(this.ticker, method, headers.containsKey(PREVIOUS_ATTEMPTS), this.cancellations);
	}

}
