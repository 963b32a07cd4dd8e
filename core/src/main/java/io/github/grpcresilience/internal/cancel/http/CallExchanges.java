package io.github.grpcresilience.internal.cancel.http;

import java.io.IOException;
import java.net.http.HttpClient;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.WorkCanceller;

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
	 * Begins an exchange that the current piece of work waits for.
	 * @return the exchange, which its caller closes on every path; {@code null} if the
	 * work belongs to no call, or others may wait for it, or nothing may be changed
	 * @throws IOException if the call has ended and its grace is used up: the request
	 * must not be sent
	 */
	public @Nullable CallExchange begin() throws IOException {
		CallScope scope = CallScope.current();
		if (scope == null || scope.isCarried()) {
			return null;
		}
		CallExchange exchange = new CallExchange(scope, this.canceller, this.budget);
		return exchange.begin() ? exchange : null;
	}

	/**
	 * What a host is told of the time that is left to the current piece of work.
	 * @param host host of the request; {@code null} if it has none
	 * @return value of the {@linkplain #header() header}; empty if it is told nothing
	 */
	public Optional<String> findBudget(@Nullable String host) {
		CallScope scope = CallScope.current();
		return (scope != null && this.canceller.isEnforced())
				? this.budget.findValue(scope.call().remainingNanos(), host) : Optional.empty();
	}

	/**
	 * The header that tells how much time is left.
	 * @return the header
	 */
	public BudgetHeader header() {
		return this.budget;
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
