package io.github.grpcresilience.autoconfigure.edge.reactive;

import java.util.ArrayList;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

import io.github.grpcresilience.autoconfigure.edge.EdgeAccept;
import io.github.grpcresilience.autoconfigure.edge.EdgeAnswer;
import io.github.grpcresilience.autoconfigure.edge.EdgeError;
import io.github.grpcresilience.autoconfigure.edge.EdgeRequest;
import io.github.grpcresilience.autoconfigure.edge.HttpEdge;

/**
 * Answers in WebFlux, in place of what was begun. Immutable.
 *
 * @param edge decides on answers
 * @param pages whether the application has error pages
 */
record EdgeExchange(HttpEdge edge, boolean pages) {

	/**
	 * Answers a failure with the error page of the application to who wants one, else
	 * with a problem. The response must not be committed.
	 * @param known the request; {@code null} if the edge has not opened it
	 */
	Mono<Void> write(Throwable failure, @Nullable EdgeRequest known, ServerWebExchange exchange) {
		ServerHttpRequest request = exchange.getRequest();
		EdgeAnswer answer = this.edge.answer(failure, known, request.getPath().value());
		boolean page = this.pages && EdgeAccept.isPage(request.getHeaders().getValuesAsList(HttpHeaders.ACCEPT));
		// Spring Boot tells of every page for status 500 itself.
		if (!page || answer.status() != HttpStatus.INTERNAL_SERVER_ERROR) {
			this.edge.log(request.getMethod().name(), request.getPath().value(), answer, failure);
		}
		return page ? page(answer, exchange.getResponse(), failure) : problem(answer, exchange.getResponse());
	}

	/**
	 * Whoever renders the application's pages takes the status from the exception.
	 */
	private static Mono<Void> page(EdgeAnswer answer, ServerHttpResponse response, Throwable failure) {
		clear(response.getHeaders());
		String delay = answer.headers().getFirst(HttpHeaders.RETRY_AFTER);
		if (delay != null) {
			response.getHeaders().set(HttpHeaders.RETRY_AFTER, delay);
		}
		EdgeError error = answer.error();
		String id = (error.requestId() != null) ? ", id " + error.requestId() : "";
		return Mono.error(new ResponseStatusException(answer.status(), error.code() + id, failure));
	}

	private static Mono<Void> problem(EdgeAnswer answer, ServerHttpResponse response) {
		HttpHeaders headers = response.getHeaders();
		clear(headers);
		answer.headers().forEach((name, values) -> values.forEach((value) -> headers.set(name, value)));
		byte[] body = answer.json();
		headers.setContentLength(body.length);
		response.setStatusCode(answer.status());
		return response.writeWith(Mono.fromSupplier(() -> response.bufferFactory().wrap(body)));
	}

	/**
	 * Without {@code remove}, which Spring 7 has changed.
	 */
	private static void clear(HttpHeaders headers) {
		headers.clearContentHeaders();
		headers.setETag(null);
		headers.put(HttpHeaders.LAST_MODIFIED, new ArrayList<>());
	}

}
