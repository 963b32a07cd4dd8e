package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.Map;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.ClientHttpRequest;
import org.springframework.http.client.ClientHttpResponse;

import io.github.grpcresilience.internal.cancel.http.CallExchange;
import io.github.grpcresilience.internal.cancel.http.CallExchanges;

/**
 * A request that ends with the call that sends it. Outside of calls it is just sent.
 * Confined to one thread.
 */
class CallRequest implements ClientHttpRequest {

	private final ClientHttpRequest request;

	private final CallExchanges exchanges;

	CallRequest(ClientHttpRequest request, CallExchanges exchanges) {
		this.request = request;
		this.exchanges = exchanges;
	}

	@Override
	public ClientHttpResponse execute() throws IOException {
		CallExchange exchange = this.exchanges.begin();
		if (exchange == null) {
			return this.request.execute();
		}
		try {
			String name = exchange.budget().name();
			if (getHeaders().getFirst(name) == null) {
				exchange.findBudget(getURI().getHost()).ifPresent((value) -> getHeaders().set(name, value));
			}
			UrlConnection.bound(this.request, exchange);
			return new GuardedResponse(exchange.call(this.request::execute, ExchangeWait::isInterruptible), exchange);
		}
		catch (IOException | RuntimeException | Error ex) {
			exchange.close();
			throw ex;
		}
	}

	@Override
	public OutputStream getBody() throws IOException {
		return this.request.getBody();
	}

	@Override
	public HttpHeaders getHeaders() {
		return this.request.getHeaders();
	}

	@Override
	public HttpMethod getMethod() {
		return this.request.getMethod();
	}

	@Override
	public URI getURI() {
		return this.request.getURI();
	}

	@Override
	public Map<String, Object> getAttributes() {
		return this.request.getAttributes();
	}

}
