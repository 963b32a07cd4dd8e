package io.github.grpcresilience.autoconfigure.edge.reactive;

import org.springframework.core.Ordered;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebExceptionHandler;
import reactor.core.publisher.Mono;

import io.github.grpcresilience.autoconfigure.edge.EdgeRequest;
import io.github.grpcresilience.autoconfigure.edge.HttpEdge;

/**
 * Answers failed gRPC calls that no advice of the application handles.
 */
final class EdgeExceptionHandler implements WebExceptionHandler, Ordered {

	private final HttpEdge edge;

	private final EdgeExchange answers;

	EdgeExceptionHandler(HttpEdge edge, EdgeExchange answers) {
		this.edge = edge;
		this.answers = answers;
	}

	/**
	 * As Spring Boot's own, which answers everything and is defined later.
	 */
	@Override
	public int getOrder() {
		return -1;
	}

	@Override
	public Mono<Void> handle(ServerWebExchange exchange, Throwable thrown) {
		if (!HttpEdge.isFailedCall(thrown) || EdgeWebFilter.isExempt(this.edge, exchange)) {
			return Mono.error(thrown);
		}
		EdgeRequest known = exchange.getAttribute(EdgeWebFilter.REQUEST);
		if (exchange.getResponse().isCommitted()) {
			this.edge.failedInTheMiddle(known, thrown);
			return Mono.error(thrown);
		}
		return this.answers.write(thrown, known, exchange);
	}

}
