package io.github.grpcresilience.autoconfigure.edge;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

import com.google.rpc.BadRequest;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RequestInfo;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Edge;
import io.github.grpcresilience.autoconfigure.edge.EdgeError.Kind;
import io.github.grpcresilience.autoconfigure.edge.EdgeError.Violation;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * Decides what HTTP clients are told of failed gRPC calls. What a server writes about its
 * own failures is not for them: texts pass only if code and HTTP status both say that the
 * request was at fault. Immutable.
 */
final class EdgeErrors {

	private static final int MAX_VALUE = 256;

	private static final int MAX_TEXT = 2_048;

	private static final int MAX_ENTRIES = 64;

	/** A name, and no text that somebody put in its place (AIP-193). */
	private static final Pattern REASON = Pattern.compile("[A-Za-z][A-Za-z0-9_]{0,62}");

	private static final Pattern DOMAIN = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,252}");

	private static final Pattern REQUEST_ID = Pattern.compile("[\\x21-\\x7e]{1,128}");

	private final EdgeStatuses statuses;

	private final Set<String> metadata;

	EdgeErrors(Edge edge) {
		this.statuses = new EdgeStatuses(edge.statusCodes(), edge.reasons());
		this.metadata = Set.copyOf(edge.metadata());
	}

	EdgeError of(GrpcErrors failure) {
		Status.Code code = code(failure);
		String reason = name(REASON, failure.reason().orElse(null));
		int status = this.statuses.of(code, reason);
		boolean requestAtFault = status < 500 && EdgeStatuses.standard(code) < 500;
		LocalizedMessage localized = (status < 500)
				? failure.localizedMessage().filter((text) -> !text.getMessage().isEmpty()).orElse(null) : null;
		return new EdgeError(status, code, detail(localized, requestAtFault ? failure.message() : ""),
				(localized != null) ? cut(localized.getLocale(), MAX_VALUE) : null, reason,
				name(DOMAIN, failure.domain().orElse(null)), metadata(failure.metadata()),
				name(REQUEST_ID, failure.requestInfo().map(RequestInfo::getRequestId).orElse(null)),
				requestAtFault ? violations(failure) : List.of(), failure.retryDelay().orElse(null));
	}

	/**
	 * A request of ours without a deadline is not the fault of whoever asked us.
	 */
	private static Status.Code code(GrpcErrors failure) {
		boolean ours = failure.reason().filter(Reason.DEADLINE_REQUIRED.name()::equals).isPresent()
				&& failure.domain().filter(StatusDetails.DOMAIN::equals).isPresent();
		if (ours) {
			return Status.Code.INTERNAL;
		}
		return (failure.code() != Status.Code.OK) ? failure.code() : Status.Code.UNKNOWN;
	}

	private static @Nullable String detail(@Nullable LocalizedMessage localized, String message) {
		String text = (localized != null) ? localized.getMessage() : message;
		return text.isEmpty() ? null : cut(text, MAX_TEXT);
	}

	private static @Nullable String name(Pattern pattern, @Nullable String name) {
		return (name != null && pattern.matcher(name).matches()) ? name : null;
	}

	private Map<String, String> metadata(Map<String, String> sent) {
		boolean all = this.metadata.contains("*");
		Map<String, String> shown = new LinkedHashMap<>();
		sent.forEach((key, value) -> {
			if ((all || this.metadata.contains(key)) && shown.size() < MAX_ENTRIES) {
				shown.put(cut(key, MAX_VALUE), cut(value, MAX_VALUE));
			}
		});
		return shown;
	}

	private static List<Violation> violations(GrpcErrors failure) {
		List<Violation> violations = new ArrayList<>();
		failure.badRequest().map(BadRequest::getFieldViolationsList).orElse(List.of()).forEach((violation) -> {
			Map<String, String> properties = properties("field", violation.getField(), violation.getDescription());
			if (!violation.getReason().isEmpty()) {
				properties.put("reason", cut(violation.getReason(), MAX_VALUE));
			}
			violations.add(new Violation(Kind.BAD_REQUEST, properties));
		});
		failure.preconditionFailure()
			.map(PreconditionFailure::getViolationsList)
			.orElse(List.of())
			.forEach((violation) -> {
				Map<String, String> properties = new LinkedHashMap<>();
				properties.put("type", cut(violation.getType(), MAX_VALUE));
				properties.putAll(properties("subject", violation.getSubject(), violation.getDescription()));
				violations.add(new Violation(Kind.PRECONDITION_FAILURE, properties));
			});
		failure.quotaFailure()
			.map(QuotaFailure::getViolationsList)
			.orElse(List.of())
			.forEach((violation) -> violations.add(new Violation(Kind.QUOTA_FAILURE,
					properties("subject", violation.getSubject(), violation.getDescription()))));
		return violations.subList(0, Math.min(MAX_ENTRIES, violations.size()));
	}

	private static Map<String, String> properties(String name, String value, String description) {
		Map<String, String> properties = new LinkedHashMap<>();
		properties.put(name, cut(value, MAX_VALUE));
		properties.put("description", cut(description, MAX_VALUE));
		return properties;
	}

	private static String cut(String text, int length) {
		if (text.length() <= length) {
			return text;
		}
		int end = Character.isHighSurrogate(text.charAt(length - 1)) ? length - 1 : length;
		return text.substring(0, end);
	}

}
