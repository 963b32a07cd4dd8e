package io.github.grpcresilience.error;

import java.util.Locale;
import java.util.regex.Pattern;

import com.google.rpc.BadRequest;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Collects what is wrong with a request, whoever found it, into one form of answer.
 * Confined to one call.
 */
public final class InvalidRequest {

	/** Reason of every such answer. */
	public static final String REASON = "REQUEST_INVALID";

	/** {@code FieldViolation.reason} in {@code google/rpc/error_details.proto}. */
	private static final Pattern WELL_FORMED = Pattern.compile("[A-Z][A-Z0-9_]+[A-Z0-9]");

	private static final int MAX_LENGTH = 63;

	private static final Pattern HUMP = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])");

	private static final Pattern PUNCTUATION = Pattern.compile("[^A-Za-z0-9]+");

	private static final Pattern EDGES = Pattern.compile("^_+|_+$");

	private final BadRequest.Builder badRequest = BadRequest.newBuilder();

	/**
	 * Adds a violation.
	 * @param field path of the field as callers write it; empty for the request as a
	 * whole
	 * @param description what is wrong with it
	 * @param rule name of the rule, such as {@code NotBlank} or {@code string.min_len},
	 * which is sent as {@code NOT_BLANK} or {@code STRING_MIN_LEN}; {@code null} if it
	 * has none
	 * @return this
	 */
	public InvalidRequest violation(String field, String description, @Nullable String rule) {
		this.badRequest.addFieldViolationsBuilder()
			.setField(field)
			.setDescription(description)
			.setReason((rule != null) ? reason(rule) : "");
		return this;
	}

	/**
	 * The answer.
	 * @return {@code INVALID_ARGUMENT} with a {@code BadRequest} of all violations
	 */
	public GrpcError toError() {
		GrpcError error = GrpcError.answer(Status.Code.INVALID_ARGUMENT)
			.reason(REASON)
			.message("the request is not valid");
		return (this.badRequest.getFieldViolationsCount() > 0) ? error.with(this.badRequest.build()) : error;
	}

	private static String reason(String rule) {
		String words = PUNCTUATION.matcher(HUMP.matcher(rule).replaceAll("_")).replaceAll("_");
		String reason = EDGES.matcher(words).replaceAll("").toUpperCase(Locale.ROOT);
		if (reason.length() > MAX_LENGTH) {
			reason = EDGES.matcher(reason.substring(0, MAX_LENGTH)).replaceAll("");
		}
		return WELL_FORMED.matcher(reason).matches() ? reason : "";
	}

}
