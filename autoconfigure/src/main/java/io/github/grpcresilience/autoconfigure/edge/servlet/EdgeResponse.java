package io.github.grpcresilience.autoconfigure.edge.servlet;

import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.http.HttpHeaders;

import io.github.grpcresilience.autoconfigure.edge.EdgeAccept;
import io.github.grpcresilience.autoconfigure.edge.EdgeAnswer;

/**
 * Answers in servlet containers, in place of what was begun.
 */
final class EdgeResponse {

	/** What was said of another content, besides {@code Content-*}. */
	private static final Set<String> OF_CONTENT = Set.of("accept-ranges", "etag", "last-modified", "transfer-encoding");

	private EdgeResponse() {
	}

	/**
	 * Answers with the error page of the application to who wants one, else with the
	 * answer. The response must not be committed.
	 */
	static void write(EdgeAnswer answer, HttpServletRequest request, HttpServletResponse response) throws IOException {
		reset(response);
		answer.headers().forEach((name, values) -> values.forEach((value) -> response.setHeader(name, value)));
		if (EdgeAccept.isPage(Collections.list(request.getHeaders(HttpHeaders.ACCEPT)))) {
			response.sendError(answer.status().value());
			return;
		}
		byte[] body = answer.json();
		response.setStatus(answer.status().value());
		response.setContentLength(body.length);
		response.getOutputStream().write(body);
	}

	/**
	 * Containers cannot remove single headers.
	 */
	private static void reset(HttpServletResponse response) {
		Map<String, List<String>> kept = new LinkedHashMap<>();
		for (String name : response.getHeaderNames()) {
			if (!isOfContent(name.toLowerCase(Locale.ROOT))) {
				kept.put(name, List.copyOf(response.getHeaders(name)));
			}
		}
		response.reset();
		kept.forEach((name, values) -> values.forEach((value) -> response.addHeader(name, value)));
	}

	private static boolean isOfContent(String name) {
		return OF_CONTENT.contains(name) || (name.startsWith("content-") && !name.startsWith("content-security-"));
	}

}
