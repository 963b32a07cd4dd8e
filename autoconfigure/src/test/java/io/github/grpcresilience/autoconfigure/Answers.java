package io.github.grpcresilience.autoconfigure;

import java.nio.charset.StandardCharsets;
import java.util.List;

import com.google.protobuf.Any;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;

/**
 * What callers get to see of errors, read from the bytes that are sent.
 */
public final class Answers {

	private Answers() {
	}

	/** What the mapper of the nearest class makes of an exception. */
	@SuppressWarnings("unchecked")
	public static GrpcError map(BuiltInErrors errors, Throwable thrown) {
		for (Class<?> type = thrown.getClass(); type != Object.class; type = type.getSuperclass()) {
			for (ErrorMapper<?> mapper : errors.mappers()) {
				if (mapper.type() == type) {
					GrpcError error = ((ErrorMapper<Throwable>) mapper).map(thrown);
					if (error != null) {
						return error;
					}
				}
			}
		}
		return null;
	}

	/** The error as a client reads it. */
	public static GrpcErrors sent(GrpcError error) {
		return GrpcErrors.from(error.getCause());
	}

	/** Everything that is sent, to look for what must not be. */
	public static String text(GrpcError error) {
		Status status = Status.fromThrowable(error.getCause());
		Metadata trailers = Status.trailersFromThrowable(error.getCause());
		StringBuilder text = new StringBuilder(status.getCode() + " " + status.getDescription() + " ");
		for (String key : trailers.keys()) {
			text.append(new String(trailers.get(Metadata.Key.of(key, Metadata.BINARY_BYTE_MARSHALLER)),
					StandardCharsets.ISO_8859_1));
		}
		return text.toString();
	}

	/** Names of the details in the order in which they are sent. */
	public static List<String> details(GrpcError error) {
		return sent(error).details()
			.stream()
			.map(Any::getTypeUrl)
			.map((url) -> url.substring(url.lastIndexOf('.') + 1))
			.toList();
	}

	/** Violations as "field: description [reason]". */
	public static List<String> violations(GrpcError error) {
		return sent(error).badRequest()
			.orElseThrow()
			.getFieldViolationsList()
			.stream()
			.map((found) -> found.getField() + ": " + found.getDescription() + " [" + found.getReason() + "]")
			.toList();
	}

}
