package io.github.grpcresilience.autoconfigure;

import java.io.IOException;

import jakarta.servlet.http.HttpServletResponse;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.MediaType;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.http.server.ServletServerHttpResponse;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter;

/**
 * Writes answers before there is a handler, with the converters that handlers have.
 */
final class EdgeResponse {

	private final ObjectProvider<RequestMappingHandlerAdapter> handlers;

	EdgeResponse(ObjectProvider<RequestMappingHandlerAdapter> handlers) {
		this.handlers = handlers;
	}

	void write(EdgeAnswer answer, HttpServletResponse response) throws IOException {
		try (ServletServerHttpResponse http = new ServletServerHttpResponse(response)) {
			http.setStatusCode(answer.status());
			http.getHeaders().putAll(answer.headers());
			RequestMappingHandlerAdapter adapter = this.handlers.getIfAvailable();
			if (adapter != null) {
				for (HttpMessageConverter<?> converter : adapter.getMessageConverters()) {
					if (write(converter, answer, http)) {
						return;
					}
				}
			}
			// Without a converter for JSON the status must do.
			http.getHeaders().remove("Content-Type");
		}
	}

	@SuppressWarnings("unchecked")
	private static boolean write(HttpMessageConverter<?> converter, EdgeAnswer answer, ServletServerHttpResponse http)
			throws IOException {
		MediaType type = answer.headers().getContentType();
		if (!converter.canWrite(answer.body().getClass(), type)) {
			return false;
		}
		((HttpMessageConverter<Object>) converter).write(answer.body(), type, http);
		return true;
	}

}
