package io.github.grpcresilience.internal.gate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.internal.method.AttemptGate.Refusal;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * What callers are told of an attempt that was not sent. Names of instances are not among
 * it: they tell how the application is built.
 */
final class RefusedAttempt {

	private RefusedAttempt() {
	}

	static Status describe(Refusal refusal, CalledMethod method, Metadata trailers) {
		Status status = statusOf(refusal.reason());
		ErrorInfo info = ErrorInfo.newBuilder()
			.setReason(refusal.reason().name())
			.setDomain(StatusDetails.DOMAIN)
			.putAllMetadata(metadataOf(method))
			.build();
		RetryInfo retry = RetryInfo.newBuilder()
			.setRetryDelay(com.google.protobuf.Duration.newBuilder()
				.setSeconds(refusal.retryAfter().toSeconds())
				.setNanos(refusal.retryAfter().toNanosPart()))
			.build();
		StatusDetails.put(trailers, status, List.of(Any.pack(info), Any.pack(retry)));
		return status;
	}

	private static Status statusOf(Reason reason) {
		return switch (reason) {
			case CIRCUIT_OPEN ->
				Status.UNAVAILABLE.withDescription("not sent: too many calls have failed, the circuit breaker is open");
			case CONCURRENCY_LIMIT ->
				Status.RESOURCE_EXHAUSTED.withDescription("not sent: too many calls are running at once");
			case RATE_LIMIT ->
				Status.RESOURCE_EXHAUSTED.withDescription("not sent: too many calls have been made in a short time");
			default -> throw new IllegalArgumentException("no reason to refuse an attempt: " + reason);
		};
	}

	private static Map<String, String> metadataOf(CalledMethod method) {
		Map<String, String> metadata = new LinkedHashMap<>();
		metadata.put("method", method.name());
		if (method.client() != null) {
			metadata.put("client", method.client());
		}
		metadata.put("side", "client");
		return metadata;
	}

}
