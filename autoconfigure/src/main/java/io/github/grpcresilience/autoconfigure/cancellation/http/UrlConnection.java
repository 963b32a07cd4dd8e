package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.net.HttpURLConnection;
import java.time.Duration;

import org.springframework.beans.DirectFieldAccessor;
import org.springframework.http.client.ClientHttpRequest;

import io.github.grpcresilience.internal.cancel.http.CallExchange;

/**
 * Bounds requests of HttpURLConnection, which nothing stops while they wait: those of
 * handlers by time, as connecting and each read take no longer than the call has left;
 * those of tasks, which may go on after the answer, by disconnecting them.
 */
final class UrlConnection {

	private static final String REQUEST = "org.springframework.http.client.SimpleClientHttpRequest";

	/** What Spring's request holds, and tells nobody. */
	private static final String CONNECTION = "connection";

	/** The timer that ends calls is coarse, and is to be first: it knows why. */
	private static final Duration SLACK = Duration.ofMillis(25);

	private UrlConnection() {
	}

	/**
	 * Prepares a request that has not been sent; leaves those of other clients alone.
	 */
	static void bound(ClientHttpRequest request, CallExchange exchange) {
		if (!request.getClass().getName().equals(REQUEST)) {
			return;
		}
		DirectFieldAccessor fields = new DirectFieldAccessor(request);
		if (fields.isReadableProperty(CONNECTION)
				&& fields.getPropertyValue(CONNECTION) instanceof HttpURLConnection connection) {
			Duration left = exchange.findRemaining().orElse(null);
			if (left == null) {
				exchange.stopWith(connection::disconnect);
				return;
			}
			connection.setConnectTimeout(shorter(connection.getConnectTimeout(), left));
			connection.setReadTimeout(shorter(connection.getReadTimeout(), left));
		}
	}

	private static int shorter(int ownMillis, Duration left) {
		int leftMillis = (int) Math.min(Integer.MAX_VALUE, left.plus(SLACK).toMillis());
		// Zero means without end.
		return (ownMillis > 0 && ownMillis < leftMillis) ? ownMillis : leftMillis;
	}

}
