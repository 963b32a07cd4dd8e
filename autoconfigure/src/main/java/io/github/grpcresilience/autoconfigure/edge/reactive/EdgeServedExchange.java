package io.github.grpcresilience.autoconfigure.edge.reactive;

import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.ServerWebExchangeDecorator;
import org.springframework.web.server.WebSession;
import reactor.core.publisher.Mono;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * A request that is being served, with its response. A handler that asks for the session
 * runs where the store brings it.
 */
final class EdgeServedExchange extends ServerWebExchangeDecorator {

	private final ServerHttpRequest request;

	private final ServerHttpResponse response;

	private final CallScope scope;

	EdgeServedExchange(ServerWebExchange exchange, ServerHttpResponse response, CallScope scope) {
		super(exchange);
		this.request = new EdgeBody(exchange.getRequest(), scope);
		this.response = response;
		this.scope = scope;
	}

	@Override
	public ServerHttpRequest getRequest() {
		return this.request;
	}

	@Override
	public ServerHttpResponse getResponse() {
		return this.response;
	}

	@Override
	public Mono<WebSession> getSession() {
		return super.getSession().transform(ScopedSubscriber.in(this.scope)).as(Mono::from);
	}

}
