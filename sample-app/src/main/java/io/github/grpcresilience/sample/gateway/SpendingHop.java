package io.github.grpcresilience.sample.gateway;

import java.util.Map;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.http.server.ServerHttpResponse;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.ResponseBodyAdvice;

/**
 * Adds to what the edge answers: where time ran out, {@code hop} is the one that spent
 * it.
 */
@RestControllerAdvice
final class SpendingHop implements ResponseBodyAdvice<Object> {

	@Override
	public boolean supports(MethodParameter returnType, Class<? extends HttpMessageConverter<?>> converterType) {
		return true;
	}

	@Override
	public @Nullable Object beforeBodyWrite(@Nullable Object body, MethodParameter returnType, MediaType contentType,
			Class<? extends HttpMessageConverter<?>> converterType, ServerHttpRequest request,
			ServerHttpResponse response) {
		if (body instanceof ProblemDetail problem && problem.getStatus() == HttpStatus.GATEWAY_TIMEOUT.value()
				&& problem.getProperties() != null
				&& problem.getProperties().get("metadata") instanceof Map<?, ?> metadata) {
			// A client that gave up knows no service, only its own name for it.
			Stream.of("spent_by_service", "service", "client")
				.filter(metadata::containsKey)
				.findFirst()
				.ifPresent((key) -> problem.setProperty("hop", metadata.get(key)));
		}
		return body;
	}

}
