package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.util.concurrent.CompletableFuture;

import org.eclipse.jetty.client.Request;

import io.github.grpcresilience.internal.cancel.http.CallExchange;

/**
 * Tells the exchange of a call how to stop a request of Jetty's client. An interrupt ends
 * the wait alone, and the response that nobody reads keeps its connection.
 */
final class JettyExchangeListener implements Request.QueuedListener {

	@Override
	public void onQueued(Request request) {
		CallExchange.findCurrent().ifPresent((exchange) -> exchange.stopWith(() -> abort(request, exchange)));
	}

	private static void abort(Request request, CallExchange exchange) {
		CompletableFuture<Boolean> unused = request.abort(exchange.failure(null));
	}

}
