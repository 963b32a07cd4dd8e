package io.github.grpcresilience.autoconfigure.error;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Status codes that stand for HTTP statuses, by the table in
 * {@code google/rpc/code.proto} read backwards.
 */
final class HttpStatusCodes {

	private HttpStatusCodes() {
	}

	/**
	 * Finds the code that stands for a status.
	 * @return {@code null} if it says no more than that the application failed, or no
	 * failure at all
	 */
	static Status.@Nullable Code find(int status) {
		return switch (status) {
			case 400 -> Status.Code.INVALID_ARGUMENT;
			case 401 -> Status.Code.UNAUTHENTICATED;
			case 403 -> Status.Code.PERMISSION_DENIED;
			case 404 -> Status.Code.NOT_FOUND;
			case 409 -> Status.Code.ABORTED;
			case 429 -> Status.Code.RESOURCE_EXHAUSTED;
			case 499 -> Status.Code.CANCELLED;
			case 501 -> Status.Code.UNIMPLEMENTED;
			case 503 -> Status.Code.UNAVAILABLE;
			case 504 -> Status.Code.DEADLINE_EXCEEDED;
			default -> isClientError(status) ? Status.Code.FAILED_PRECONDITION : null;
		};
	}

	static boolean isClientError(int status) {
		return status >= 400 && status < 500;
	}

}
