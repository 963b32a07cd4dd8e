package io.github.grpcresilience.autoconfigure.edge;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * HTTP statuses of gRPC failures. Immutable.
 */
final class EdgeStatuses {

	private final Map<Status.Code, Integer> byCode = new EnumMap<>(Status.Code.class);

	private final Map<String, Integer> byReason = new HashMap<>();

	EdgeStatuses(Map<String, Integer> byCode, Map<String, Integer> byReason) {
		byCode.forEach((name, status) -> {
			Status.Code code = findCode(name);
			if (code != null) {
				this.byCode.put(code, status);
			}
		});
		byReason.forEach((reason, status) -> this.byReason.put(key(reason), status));
	}

	/**
	 * The HTTP status of a failure, by what the application chose: for its reason, else
	 * for its code.
	 */
	int of(Status.Code code, @Nullable String reason) {
		Integer chosen = (reason != null) ? this.byReason.get(key(reason)) : null;
		return (chosen != null) ? chosen : this.byCode.getOrDefault(code, standard(code));
	}

	/**
	 * The HTTP status of a code, as {@code google/rpc/code.proto} says.
	 */
	static int standard(Status.Code code) {
		return switch (code) {
			case CANCELLED -> 499;
			case INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE -> 400;
			case UNAUTHENTICATED -> 401;
			case PERMISSION_DENIED -> 403;
			case NOT_FOUND -> 404;
			case ALREADY_EXISTS, ABORTED -> 409;
			case RESOURCE_EXHAUSTED -> 429;
			case UNIMPLEMENTED -> 501;
			case UNAVAILABLE -> 503;
			case DEADLINE_EXCEEDED -> 504;
			default -> 500;
		};
	}

	/**
	 * A code as properties name it.
	 * @return {@code null} if there is none of that name that a failure can have
	 */
	static Status.@Nullable Code findCode(String name) {
		return Arrays.stream(Status.Code.values())
			.filter((code) -> code != Status.Code.OK && key(code.name()).equals(key(name)))
			.findFirst()
			.orElse(null);
	}

	/**
	 * Keys of maps lose their underscores on the way through relaxed binding, unless they
	 * are written in brackets.
	 */
	private static String key(String name) {
		return name.replace("_", "").replace("-", "").toLowerCase(Locale.ROOT);
	}

}
