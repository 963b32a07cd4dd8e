package io.github.grpcresilience.deadline;

import java.util.concurrent.Executor;

import io.grpc.Deadline;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;

import io.github.grpcresilience.call.FailureAnswer;
import io.github.grpcresilience.method.KnownMethods;
import io.github.grpcresilience.status.TrailerGuard;
import io.github.grpcresilience.time.Timer;

/**
 * Deadlines of the calls that are served: the parts to install in a server, all three of
 * them. Immutable, safe for concurrent use.
 */
public final class ServerDeadlines {

	private final ServerStreamTracer.Factory arrivals;

	private final ServerInterceptor guard;

	private final ServerInterceptor interceptor;

	/**
	 * Creates the parts.
	 * @param methods methods of the server
	 * @param enforced {@code false} to decide and count only
	 * @param service name of this application, for what callers are told
	 * @param ticker source of time
	 * @param timer runs the answers; on an executor that may take a call's lock
	 * @param cancellations runs cancellation listeners of the application; its threads
	 * may be blocked by them
	 * @param trailers what answers may carry
	 * @param answer answers what interceptors outside of our policy throw
	 */
	public ServerDeadlines(KnownMethods methods, boolean enforced, String service, Deadline.Ticker ticker, Timer timer,
			Executor cancellations, TrailerGuard trailers, FailureAnswer answer) {
		this.arrivals = new ArrivalTracerFactory(methods, ticker, cancellations);
		this.guard = new CallGuard(methods, trailers, answer);
		this.interceptor = new DeadlineServerInterceptor(methods, enforced, service, ticker, timer);
	}

	/**
	 * Notes when calls arrive.
	 * @return the tracer factory
	 */
	public ServerStreamTracer.Factory arrivals() {
		return this.arrivals;
	}

	/**
	 * Goes outermost. Not needed where decisions are only counted.
	 * @return the interceptor
	 */
	public ServerInterceptor guard() {
		return this.guard;
	}

	/**
	 * Goes inside of whatever measures calls.
	 * @return the interceptor
	 */
	public ServerInterceptor interceptor() {
		return this.interceptor;
	}

}
