package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.io.IOException;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.support.HttpRequestWrapper;

import io.github.grpcresilience.internal.cancel.http.CallExchange;
import io.github.grpcresilience.internal.cancel.http.CallExchanges;

/**
 * Lets requests of RestClient and RestTemplate end with the call that makes them.
 */
final class CallExchangeInterceptor implements ClientHttpRequestInterceptor {

	private final CallExchanges exchanges;

	CallExchangeInterceptor(CallExchanges exchanges) {
		this.exchanges = exchanges;
	}

	@Override
	public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
			throws IOException {
		CallExchange exchange = this.exchanges.begin();
		if (exchange == null) {
			return execution.execute(request, body);
		}
		try {
			HttpRequest told = withBudget(exchange, request);
			return new GuardedResponse(
					exchange.call(() -> execution.execute(told, body), ExchangeWait::isInterruptible), exchange);
		}
		catch (IOException | RuntimeException | Error ex) {
			exchange.close();
			throw ex;
		}
	}

	private static HttpRequest withBudget(CallExchange exchange, HttpRequest request) {
		String name = exchange.budget().name();
		if (request.getHeaders().getFirst(name) != null) {
			return request;
		}
		return exchange.findBudget(request.getURI().getHost())
			.<HttpRequest>map((value) -> new BudgetedRequest(request, name, value))
			.orElse(request);
	}

	/**
	 * Has headers of its own: a request that is sent again gets what is left then.
	 */
	private static final class BudgetedRequest extends HttpRequestWrapper {

		private final HttpHeaders headers = new HttpHeaders();

		BudgetedRequest(HttpRequest request, String name, String value) {
			super(request);
			request.getHeaders().forEach((header, values) -> this.headers.addAll(header, values));
			this.headers.set(name, value);
		}

		@Override
		public HttpHeaders getHeaders() {
			return this.headers;
		}

	}

}
