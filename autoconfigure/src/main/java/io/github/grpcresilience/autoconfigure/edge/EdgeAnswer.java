package io.github.grpcresilience.autoconfigure.edge;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;

import io.github.grpcresilience.autoconfigure.edge.EdgeError.Kind;

/**
 * An HTTP answer to a failed gRPC call. Immutable but for its headers.
 *
 * @param status HTTP status
 * @param headers headers, the type of the content among them
 * @param body what is said, to be written as JSON; may be added to before it is
 * @param error what it is about
 */
public record EdgeAnswer(HttpStatusCode status, HttpHeaders headers, Map<String, Object> body, EdgeError error) {

	/** A year; clients read a number of 32 bits. */
	private static final long MAX_RETRY_SECONDS = 365L * 24 * 3600;

	private static final String TYPE = "type.googleapis.com/google.rpc.";

	/**
	 * Builds the answer.
	 * @param instance path of the request
	 */
	static EdgeAnswer of(EdgeError error, EdgeFormat format, String instance) {
		HttpHeaders headers = new HttpHeaders();
		Duration delay = error.retryDelay();
		if (delay != null && (error.status() == 429 || error.status() == 503)) {
			long seconds = Math.min(delay.toSeconds(), MAX_RETRY_SECONDS) + ((delay.toNanosPart() > 0) ? 1 : 0);
			headers.set(HttpHeaders.RETRY_AFTER, String.valueOf(Math.max(1, seconds)));
		}
		boolean problem = format == EdgeFormat.PROBLEM;
		headers.setContentType(problem ? MediaType.APPLICATION_PROBLEM_JSON : MediaType.APPLICATION_JSON);
		return new EdgeAnswer(HttpStatusCode.valueOf(error.status()), headers,
				problem ? problem(error, instance) : google(error), error);
	}

	/**
	 * As RFC 9457 has it.
	 */
	private static Map<String, Object> problem(EdgeError error, String instance) {
		Map<String, Object> problem = new LinkedHashMap<>();
		problem.put("type", "about:blank");
		problem.put("title", error.title());
		problem.put("status", error.status());
		putIfPresent(problem, "detail", error.detail());
		putIfPresent(problem, "instance", uri(instance));
		problem.put("code", error.code().name());
		putIfPresent(problem, "reason", error.reason());
		putIfPresent(problem, "domain", error.domain());
		putIfPresent(problem, "requestId", error.requestId());
		if (!error.metadata().isEmpty()) {
			problem.put("metadata", error.metadata());
		}
		if (!error.violations().isEmpty()) {
			problem.put("errors", error.violations().stream().map(EdgeError.Violation::properties).toList());
		}
		return problem;
	}

	/**
	 * The body, as it is sent.
	 */
	public byte[] json() {
		return EdgeJson.bytes(this.body);
	}

	private static Map<String, Object> google(EdgeError error) {
		Map<String, Object> body = new LinkedHashMap<>();
		body.put("code", error.status());
		String detail = error.detail();
		body.put("message", (detail != null) ? detail : error.title());
		body.put("status", error.code().name());
		List<Map<String, Object>> details = googleDetails(error);
		if (!details.isEmpty()) {
			body.put("details", details);
		}
		Map<String, Object> answer = new LinkedHashMap<>();
		answer.put("error", body);
		return answer;
	}

	private static List<Map<String, Object>> googleDetails(EdgeError error) {
		List<Map<String, Object>> details = new ArrayList<>();
		if (error.reason() != null || error.domain() != null || !error.metadata().isEmpty()) {
			Map<String, Object> info = detail(details, "ErrorInfo");
			putIfPresent(info, "reason", error.reason());
			putIfPresent(info, "domain", error.domain());
			info.put("metadata", error.metadata());
		}
		for (Kind kind : Kind.values()) {
			List<Map<String, String>> violations = error.violations()
				.stream()
				.filter((violation) -> violation.kind() == kind)
				.map(EdgeError.Violation::properties)
				.toList();
			if (!violations.isEmpty()) {
				detail(details, kind.type()).put(kind.list(), violations);
			}
		}
		Duration delay = error.retryDelay();
		if (delay != null) {
			detail(details, "RetryInfo").put("retryDelay", seconds(delay));
		}
		if (error.requestId() != null) {
			detail(details, "RequestInfo").put("requestId", error.requestId());
		}
		if (error.locale() != null && error.detail() != null) {
			Map<String, Object> localized = detail(details, "LocalizedMessage");
			localized.put("locale", error.locale());
			localized.put("message", error.detail());
		}
		return details;
	}

	private static Map<String, Object> detail(List<Map<String, Object>> details, String type) {
		Map<String, Object> detail = new LinkedHashMap<>();
		detail.put("@type", TYPE + type);
		details.add(detail);
		return detail;
	}

	/**
	 * As protobuf's JSON has it.
	 */
	private static String seconds(Duration delay) {
		String nanos = (delay.toNanosPart() > 0) ? ".%09d".formatted(delay.toNanosPart()) : "";
		return delay.toSeconds() + nanos + "s";
	}

	private static void putIfPresent(Map<String, Object> properties, String name, @Nullable Object value) {
		if (value != null) {
			properties.put(name, value);
		}
	}

	private static @Nullable URI uri(String path) {
		try {
			return URI.create(path);
		}
		catch (IllegalArgumentException ex) {
			return null; // the server let a path through that is no URI
		}
	}

}
