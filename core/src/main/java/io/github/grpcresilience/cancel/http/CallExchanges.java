package io.github.grpcresilience.cancel.http;

import java.io.IOException;
import java.net.http.HttpClient;

import io.grpc.Context;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.cancel.CallEnd;
import io.github.grpcresilience.cancel.WorkCanceller;
import io.github.grpcresilience.event.Work;

/**
 * Begins HTTP exchanges for the call that is being served. Adapters to HTTP clients are
 * built on it. Safe for concurrent use.
 */
public final class CallExchanges {

	private final WorkCanceller canceller;

	private final BudgetHeader budget;

	/**
	 * Creates the exchanges of an application.
	 * @param canceller where exchanges are stopped, and counted
	 * @param budget who is told the time that is left
	 */
	public CallExchanges(WorkCanceller canceller, BudgetHeader budget) {
		this.canceller = canceller;
		this.budget = budget;
	}

	/**
	 * Begins an exchange for the current {@link Context}.
	 * @return the exchange, which its caller closes on every path; {@code null} if no
	 * call is being served, or if nothing may be changed
	 * @throws IOException if nobody waits for the call any more: the request must not be
	 * sent
	 */
	public @Nullable CallExchange begin() throws IOException {
		Context context = Context.current();
		if (context == Context.ROOT) {
			return null;
		}
		if (CallEnd.isAbandoned(context)) {
			this.canceller.counts().refused(Work.HTTP_EXCHANGE);
			if (this.canceller.isEnforced()) {
				throw CallExchange.failure(context, null);
			}
			return null;
		}
		CallExchange exchange = new CallExchange(context, this.canceller, this.budget);
		CallEnd.listen(context, exchange);
		return exchange;
	}

	/**
	 * Wraps a client of the JDK, so that what it does for a call ends with the call.
	 * @param client the client
	 * @return a client with the same settings; close the one that it wraps
	 */
	public HttpClient client(HttpClient client) {
		return new CallHttpClient(client, this);
	}

}
