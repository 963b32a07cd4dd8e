package io.github.grpcresilience.autoconfigure;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.boot.http.client.ClientHttpRequestFactorySettings;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.ClientHttpRequest;
import org.springframework.http.client.ClientHttpRequestFactory;

import io.github.grpcresilience.cancel.http.CallExchange;

/**
 * Bounds requests of handlers by time, as nothing else stops them: HttpURLConnection
 * waits for the connection and for each read no longer than the call has left when the
 * request is made. Its factories hold no connections, so making one for each request of a
 * call is cheap.
 */
final class BudgetedRequestFactory implements ClientHttpRequestFactory {

	/** What Spring's request holds, and tells nobody. */
	private static final String CONNECTION = "connection";

	private final ClientHttpRequestFactoryBuilder<?> builder;

	private final ClientHttpRequestFactorySettings settings;

	private final ClientHttpRequestFactory outsideOfCalls;

	BudgetedRequestFactory(ClientHttpRequestFactoryBuilder<?> builder,
			@Nullable ClientHttpRequestFactorySettings settings) {
		this.builder = builder;
		this.settings = (settings != null) ? settings : ClientHttpRequestFactorySettings.defaults();
		this.outsideOfCalls = builder.build(settings);
	}

	@Override
	public ClientHttpRequest createRequest(URI uri, HttpMethod method) throws IOException {
		CallExchange exchange = CallExchange.findCurrent().orElse(null);
		Duration left = (exchange != null) ? exchange.findRemaining().orElse(null) : null;
		if (left != null) {
			return this.builder.build(within(left)).createRequest(uri, method);
		}
		ClientHttpRequest request = this.outsideOfCalls.createRequest(uri, method);
		if (exchange != null) {
			disconnectWhenStopped(request, exchange);
		}
		return request;
	}

	/**
	 * For tasks, which may go on after the answer: nothing bounds them, so they are told
	 * while they wait for a response.
	 */
	private static void disconnectWhenStopped(ClientHttpRequest request, CallExchange exchange) {
		DirectFieldAccessor fields = new DirectFieldAccessor(request);
		if (fields.isReadableProperty(CONNECTION)
				&& fields.getPropertyValue(CONNECTION) instanceof HttpURLConnection connection) {
			exchange.stopWith(connection::disconnect);
		}
	}

	private ClientHttpRequestFactorySettings within(Duration left) {
		return this.settings.withConnectTimeout(shorter(this.settings.connectTimeout(), left))
			.withReadTimeout(shorter(this.settings.readTimeout(), left));
	}

	private static Duration shorter(@Nullable Duration own, Duration left) {
		// Zero means without end.
		return (own != null && !own.isZero() && own.compareTo(left) < 0) ? own : left;
	}

}
