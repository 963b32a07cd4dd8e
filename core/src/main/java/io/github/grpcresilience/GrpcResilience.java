package io.github.grpcresilience;

import io.grpc.ClientInterceptor;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.stub.StreamObserver;

import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.internal.cancel.CallTasks;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.cancel.http.BudgetHeader;
import io.github.grpcresilience.internal.cancel.http.CallExchanges;
import io.github.grpcresilience.internal.deadline.ServedRequests;
import io.github.grpcresilience.internal.error.ErrorAdvice;
import io.github.grpcresilience.internal.method.ServedMethods;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.status.TrailerGuard;
import io.github.grpcresilience.internal.stream.Streams;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.stream.StreamWriterBuilder;

/**
 * Puts deadlines around the servers and clients of one application. One instance an
 * application; safe for concurrent use.
 *
 * <p>
 * Without a framework, {@link #protect(ServerBuilder)} and {@link #client(String)} are
 * all there is to call. Frameworks that order interceptors themselves place
 * {@link #arrivals()}, {@link #callGuard()} (outermost) and {@link #callPolicy()} (inside
 * whatever measures calls).
 */
public final class GrpcResilience implements AutoCloseable {

	private final Mode mode;

	private final Threads threads = new Threads();

	private final ServerSide server;

	private final ClientSide client;

	private final CallWork work;

	private final Connections connections;

	private final Drain drain;

	private final Streams streams;

	private final Inspection inspection;

	GrpcResilience(GrpcResilienceBuilder builder, PolicyTable server, PolicyTable client, BudgetHeader budget) {
		boolean enforced = builder.isEnforced();
		Deadline.Ticker ticker = Deadline.getSystemTicker();
		WorkCounts stopped = new WorkCounts();
		WorkCanceller canceller = new WorkCanceller(enforced, this.threads.stops(), this.threads::newLane,
				this.threads.timer(), ticker, stopped, builder.events());
		CallTasks tasks = new CallTasks(canceller);
		this.mode = builder.mode();
		this.server = new ServerSide(server, new ServedMethods(server, builder.events()), builder.service(), enforced,
				builder.serverErrors(), new TrailerGuard(builder.errorSettings().maxDetailsBytes()),
				builder.adaptiveLimits(), this.threads, tasks);
		this.client = new ClientSide(client, builder.gates(), enforced, builder.events(), this.threads);
		this.work = new CallWork(canceller, tasks, new CallExchanges(canceller, budget),
				new ServedRequests(ticker, this.threads.timer(), this.threads.cancellations()));
		this.connections = new Connections(server, client, this.client::balancing, this.client::isConnected, enforced);
		this.drain = new Drain(server.drain(), enforced, this.server.drains());
		this.streams = new Streams(builder.service(), this.threads.timer(), ticker, this.threads.streams());
		this.inspection = new Inspection(this.server, this.client, builder.errorSettings(), builder.moreFindings(),
				stopped, this.threads.timer());
	}

	/**
	 * Starts with the built-in settings.
	 * @return a builder
	 */
	public static GrpcResilienceBuilder builder() {
		return new GrpcResilienceBuilder();
	}

	/**
	 * Whether decisions take effect.
	 * @return the mode
	 */
	public Mode mode() {
		return this.mode;
	}

	/**
	 * Protects the calls that a server serves. Call it after all other interceptors are
	 * added: the last one added is the outermost.
	 * @param server the server to be
	 */
	public void protect(ServerBuilder<?> server) {
		server.intercept(callPolicy()).intercept(callGuard()).addStreamTracerFactory(arrivals());
	}

	/**
	 * Notes when calls arrive; belongs to every server that has the interceptors.
	 * @return the tracer factory
	 */
	public ServerStreamTracer.Factory arrivals() {
		return this.server.arrivals();
	}

	/**
	 * Makes closing a call safe against the handler that still runs; goes outermost.
	 * @return the interceptor
	 */
	public ServerInterceptor callGuard() {
		return this.server.guard();
	}

	/**
	 * Applies the policies to the calls that are served; goes inside observation.
	 * @return the interceptor
	 */
	public ServerInterceptor callPolicy() {
		return callPolicy(ErrorAdvice.NONE);
	}

	/**
	 * Applies the policies to the calls that are served; goes inside observation.
	 * @param advice exception handlers that the application has written for its
	 * framework; they are asked before our mappers
	 * @return the interceptor
	 */
	public ServerInterceptor callPolicy(ErrorAdvice advice) {
		return this.server.policy(advice);
	}

	/**
	 * Learns what a server serves, so that it is listed before it is called and policies
	 * that match nothing are found.
	 * @param server a server that was built
	 */
	public void learn(Server server) {
		this.server.learn(server);
	}

	/**
	 * Applies the policies to the calls that one client makes.
	 * @param name name of the client, as policies know it
	 * @return the interceptor; the same one each time for a name
	 */
	public ClientInterceptor client(String name) {
		return this.client.interceptor(name);
	}

	/**
	 * Learns of a channel of a client. While attempts wait for its connection it tries to
	 * connect sooner than its backoff says. It is held weakly, and may be shut down
	 * without a word; in mode {@code observe} nothing is done with it.
	 * @param client name of the client, as given to {@link #client(String)}
	 * @param channel the channel that was built with the interceptor of that client
	 */
	public void learn(String client, ManagedChannel channel) {
		this.client.learn(client, channel);
	}

	/**
	 * Makes the work of calls end with them.
	 * @return wrappers for databases, executors and HTTP clients
	 */
	public CallWork work() {
		return this.work;
	}

	/**
	 * How connections are kept.
	 * @return what sets it on the builders of servers and channels
	 */
	public Connections connections() {
		return this.connections;
	}

	/**
	 * How servers go away.
	 * @return what shuts them down
	 */
	public Drain drain() {
		return this.drain;
	}

	/**
	 * Writes the responses of a stream with bounds, in the pace of its reader. For
	 * handlers of any server, protected or not.
	 * @param <T> type of the messages
	 * @param observer what gRPC gave to the handler
	 * @return what chooses the bounds and opens the writer
	 * @throws IllegalArgumentException if the observer is not that of a server's call
	 */
	public <T> StreamWriterBuilder<T> writer(StreamObserver<T> observer) {
		return new StreamWriterBuilder<>(this.streams, observer);
	}

	/**
	 * Looks at calls and policies.
	 * @return what is known of them
	 */
	public Inspection inspection() {
		return this.inspection;
	}

	/**
	 * Ends the threads. Servers and clients must have ended before, servers best by
	 * {@link #drain()}: nothing is answered from then on.
	 */
	@Override
	public void close() {
		this.threads.close();
	}

}
