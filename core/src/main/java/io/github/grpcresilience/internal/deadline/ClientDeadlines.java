package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.Executor;

import io.grpc.ClientInterceptor;
import io.grpc.Deadline;

import io.github.grpcresilience.internal.method.CalledMethods;

/**
 * Deadlines of the calls that are made.
 */
public final class ClientDeadlines {

	private ClientDeadlines() {
	}

	/**
	 * Creates the interceptor of one client.
	 * @param methods methods of the client
	 * @param client name of the client
	 * @param ticker source of time
	 * @param refusals tells callers of calls that are not sent, where the call has no
	 * executor of its own
	 * @param inner what calls with a deadline go through next
	 * @return the interceptor
	 */
	public static ClientInterceptor interceptor(CalledMethods methods, String client, Deadline.Ticker ticker,
			Executor refusals, ClientInterceptor inner) {
		return new DeadlineClientInterceptor(methods, client, ticker, refusals, inner);
	}

	/**
	 * Creates the interceptor of one client whose calls are left as they are.
	 * @param methods methods of the client
	 * @param ticker source of time
	 * @param inner what calls go through next
	 * @return the interceptor
	 */
	public static ClientInterceptor observing(CalledMethods methods, Deadline.Ticker ticker, ClientInterceptor inner) {
		return new ObservedClientInterceptor(methods, ticker, inner);
	}

}
