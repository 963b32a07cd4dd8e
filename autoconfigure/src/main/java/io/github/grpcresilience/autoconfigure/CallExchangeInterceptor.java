package io.github.grpcresilience.autoconfigure;

import java.io.IOException;
import java.util.List;
import java.util.Set;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.support.HttpRequestWrapper;

import io.github.grpcresilience.cancel.http.CallExchange;
import io.github.grpcresilience.cancel.http.CallExchanges;

/**
 * Lets requests of RestClient and RestTemplate end with the call that makes them.
 */
final class CallExchangeInterceptor implements ClientHttpRequestInterceptor {

	private static final Set<String> INTERRUPTIBLE = Set.of("org.springframework.http.client.JdkClientHttpRequest",
			"org.springframework.http.client.ReactorClientHttpRequest");

	/** Below them there is nothing but the wait for a response. */
	private static final List<String> WAITING = List.of("java.util.concurrent.", "jdk.internal.misc.",
			"java.lang.VirtualThread", "java.lang.System$", "reactor.core.publisher.");

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
					exchange.call(() -> execution.execute(told, body), CallExchangeInterceptor::waits), exchange);
		}
		catch (IOException | RuntimeException | Error ex) {
			exchange.close();
			throw ex;
		}
	}

	/**
	 * Whether a thread waits where an interrupt makes Spring cancel the exchange. Others
	 * forget to (Jetty's), or do not wait for what an interrupt reaches (Apache's,
	 * HttpURLConnection): they are told otherwise.
	 */
	private static boolean waits(Thread thread) {
		for (StackTraceElement frame : thread.getStackTrace()) {
			String type = frame.getClassName();
			if (INTERRUPTIBLE.contains(type)) {
				return true;
			}
			if (WAITING.stream().noneMatch(type::startsWith)) {
				return false;
			}
		}
		return false;
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
