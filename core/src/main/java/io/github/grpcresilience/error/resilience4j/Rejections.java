package io.github.grpcresilience.error.resilience4j;

import java.time.Duration;

import com.google.rpc.QuotaFailure;
import io.grpc.Status;

import io.github.grpcresilience.error.GrpcError;

/**
 * Answers of the engines. Names of instances are not sent: they tell how the application
 * is built.
 */
final class Rejections {

	/** {@code ErrorInfo.domain} of the answers. */
	static final String DOMAIN = "resilience4j";

	/**
	 * Wait where the engine does not tell: as long as gRPC itself waits before its first
	 * attempt to connect again.
	 */
	static final Duration DEFAULT_WAIT = Duration.ofSeconds(1);

	/** Shorter waits only bring back all callers at once. */
	static final Duration LEAST_WAIT = Duration.ofMillis(100);

	private Rejections() {
	}

	static GrpcError unavailable(String reason, String message, Duration wait) {
		return rejection(Status.Code.UNAVAILABLE, reason, message, wait);
	}

	static GrpcError exhausted(String reason, String message, Duration wait, String quota) {
		return rejection(Status.Code.RESOURCE_EXHAUSTED, reason, message, wait).with(QuotaFailure.newBuilder()
			.addViolations(QuotaFailure.Violation.newBuilder().setSubject(quota).setDescription(message))
			.build());
	}

	private static GrpcError rejection(Status.Code code, String reason, String message, Duration wait) {
		return GrpcError.answer(code)
			.domain(DOMAIN)
			.reason(reason)
			.message(message)
			.retryAfter((wait.compareTo(LEAST_WAIT) < 0) ? LEAST_WAIT : wait);
	}

}
