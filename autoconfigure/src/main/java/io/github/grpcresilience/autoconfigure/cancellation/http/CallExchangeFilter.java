package io.github.grpcresilience.autoconfigure.cancellation.http;

import org.springframework.util.ClassUtils;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Mono;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.http.CallExchanges;

/**
 * Tells hosts how much time is left to the call in which requests of WebClient are
 * subscribed to, and lets requests that are disposed end without harm to others.
 */
final class CallExchangeFilter implements ExchangeFilterFunction {

	private static final boolean REACTOR_NETTY = ClassUtils.isPresent("reactor.netty.http.client.HttpClient",
			CallExchangeFilter.class.getClassLoader());

	private final CallExchanges exchanges;

	CallExchangeFilter(CallExchanges exchanges) {
		this.exchanges = exchanges;
	}

	@Override
	public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
		return Mono
			.defer(() -> (CallScope.current() != null) ? exchange(withBudget(request), next) : next.exchange(request));
	}

	/**
	 * Whoever waits for the response disposes it, and only that cancels the request: it
	 * may be in a chain that others wait for too.
	 */
	private Mono<ClientResponse> exchange(ClientRequest request, ExchangeFunction next) {
		return REACTOR_NETTY ? ReactorNettyRequest.exchange(request, next) : next.exchange(request);
	}

	private ClientRequest withBudget(ClientRequest request) {
		String name = this.exchanges.header().name();
		if (request.headers().getFirst(name) != null) {
			return request;
		}
		return this.exchanges.findBudget(request.url().getHost())
			.map((value) -> ClientRequest.from(request).header(name, value).build())
			.orElse(request);
	}

}
