package io.github.grpcresilience.gate.resilience4j;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/**
 * What a circuit breaker is told of a failed attempt. Without a stack trace: failures
 * come by the thousand, and it would show where callers are called back.
 */
final class RecordedFailure extends StatusRuntimeException {

	private static final long serialVersionUID = 1L;

	RecordedFailure(Status status) {
		super(status);
	}

	@Override
	public Throwable fillInStackTrace() {
		return this;
	}

}
