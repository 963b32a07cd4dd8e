package io.github.grpcresilience.autoconfigure;

import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * Answers in WebFlux, in place of what was begun. Immutable.
 *
 * @param pages whether the application has error pages
 */
record EdgeExchange(boolean pages) {

	/**
	 * Answers with the error page of the application to who wants one, else with the
	 * answer. The response must not be committed.
	 * @param cause what the answer is about
	 */
	Mono<Void> write(EdgeAnswer answer, ServerWebExchange exchange, Throwable cause) {
		ServerHttpResponse response = exchange.getResponse();
		HttpHeaders headers = response.getHeaders();
		headers.clearContentHeaders();
		headers.remove(HttpHeaders.ETAG);
		headers.remove(HttpHeaders.LAST_MODIFIED);
		answer.headers().forEach((name, values) -> values.forEach((value) -> headers.set(name, value)));
		if (this.pages && EdgeAccept.isPage(exchange.getRequest().getHeaders().getOrEmpty(HttpHeaders.ACCEPT))) {
			headers.clearContentHeaders();
			// Whoever renders the pages takes the status from it.
			return Mono.error(new ResponseStatusException(answer.status(), null, cause));
		}
		byte[] body = answer.json();
		response.setStatusCode(answer.status());
		headers.setContentLength(body.length);
		return response.writeWith(Mono.fromSupplier(() -> response.bufferFactory().wrap(body)));
	}

}
