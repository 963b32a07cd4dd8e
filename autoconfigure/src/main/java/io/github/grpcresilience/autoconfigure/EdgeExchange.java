package io.github.grpcresilience.autoconfigure;

import java.util.List;

import org.springframework.http.codec.HttpMessageWriter;
import org.springframework.web.reactive.function.server.ServerResponse;
import org.springframework.web.reactive.result.view.ViewResolver;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * Writes answers with the application's codecs. Immutable.
 *
 * @param messageWriters the codecs
 */
record EdgeExchange(List<HttpMessageWriter<?>> messageWriters) implements ServerResponse.Context {

	@Override
	public List<ViewResolver> viewResolvers() {
		return List.of();
	}

	Mono<Void> write(EdgeAnswer answer, ServerWebExchange exchange) {
		return ServerResponse.status(answer.status())
			.headers((headers) -> headers.putAll(answer.headers()))
			.bodyValue(answer.body())
			.flatMap((response) -> response.writeTo(exchange, this));
	}

}
