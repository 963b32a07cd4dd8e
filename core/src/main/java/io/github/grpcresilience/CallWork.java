package io.github.grpcresilience;

import java.net.http.HttpClient;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;

import javax.sql.DataSource;

import io.github.grpcresilience.internal.cancel.CallTasks;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.cancel.hikari.HikariLenders;
import io.github.grpcresilience.internal.cancel.http.CallExchanges;
import io.github.grpcresilience.internal.cancel.jdbc.CallConnections;
import io.github.grpcresilience.internal.cancel.jdbc.CallDataSource;
import io.github.grpcresilience.internal.deadline.ServedRequests;

/**
 * Wrappers for the work that calls begin, so that it ends with them. Safe for concurrent
 * use.
 */
public final class CallWork {

	private final WorkCanceller canceller;

	private final CallTasks tasks;

	private final CallExchanges httpExchanges;

	private final ServedRequests requests;

	CallWork(WorkCanceller canceller, CallTasks tasks, CallExchanges httpExchanges, ServedRequests requests) {
		this.canceller = canceller;
		this.tasks = tasks;
		this.httpExchanges = httpExchanges;
		this.requests = requests;
	}

	/**
	 * What stops the work of calls that nobody waits for; adapters to libraries are built
	 * on it.
	 * @return the canceller
	 */
	public WorkCanceller canceller() {
		return this.canceller;
	}

	/**
	 * Makes statements end with the call that executes them. HikariCP's pools are told
	 * which connections must not be lent again; of others none is ever aborted.
	 * @param dataSource a data source
	 * @return a data source around it
	 */
	public DataSource dataSource(DataSource dataSource) {
		return new CallDataSource(dataSource, new CallConnections(this::canceller, false, Set::of),
				HikariLenders.find(dataSource));
	}

	/**
	 * Makes the tasks that calls submit run in the Context of their call, and not any
	 * more once the call is abandoned.
	 * @param executor an executor
	 * @return an executor around it
	 */
	public Executor executor(Executor executor) {
		return this.tasks.executor(executor);
	}

	/**
	 * Makes the tasks that calls submit run in the Context of their call, and not any
	 * more once the call is abandoned. Shutting down either of the two shuts down the
	 * executor.
	 * @param executor an executor; of a {@link ThreadPoolExecutor} abandoned tasks leave
	 * the queue at once
	 * @return an executor around it
	 */
	public ExecutorService executor(ExecutorService executor) {
		return this.tasks.executor(executor);
	}

	/**
	 * Wraps an HTTP client of the JDK: what it sends for a call ends with the call, body
	 * included, and is not sent once nobody waits for it. Outside of a call nothing
	 * changes.
	 * @param client the client
	 * @return a client with the same settings; close the one that it wraps
	 */
	public HttpClient httpClient(HttpClient client) {
		return this.httpExchanges.client(client);
	}

	/**
	 * HTTP exchanges of the calls that are served; adapters to HTTP clients are built on
	 * it.
	 * @return the exchanges
	 */
	public CallExchanges httpExchanges() {
		return this.httpExchanges;
	}

	/**
	 * Requests that are no gRPC calls, such as those of HTTP, whose work shall have their
	 * budget and end with them; adapters to web servers are built on it.
	 * @return the requests
	 */
	public ServedRequests requests() {
		return this.requests;
	}

}
