package io.github.grpcresilience.autoconfigure.error;

import java.util.function.Supplier;

import io.grpc.Status;

import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;

/**
 * What callers are told of what a database said: no SQL, no name of a table or
 * constraint.
 */
final class DatabaseAnswers {

	private DatabaseAnswers() {
	}

	static GrpcError duplicateKey() {
		return answer(Status.Code.ALREADY_EXISTS, "DUPLICATE_KEY", "what the call would create exists already");
	}

	static GrpcError concurrentUpdate() {
		return answer(Status.Code.ABORTED, "CONCURRENT_UPDATE", "another call changed the same data at the same time");
	}

	static GrpcError queryTimeout() {
		return answer(Status.Code.DEADLINE_EXCEEDED, "QUERY_TIMEOUT", "the database did not answer in time");
	}

	static GrpcError notFound() {
		return answer(Status.Code.NOT_FOUND, "NOT_FOUND", "what the call asks for does not exist");
	}

	static GrpcError unavailable() {
		return answer(Status.Code.UNAVAILABLE, "DATABASE_UNAVAILABLE", "the database cannot be reached");
	}

	static <E extends Throwable> ErrorMapper<E> map(Class<E> type, Supplier<GrpcError> answer) {
		return ErrorMapper.of(type, (thrown) -> answer.get());
	}

	private static GrpcError answer(Status.Code code, String reason, String message) {
		return GrpcError.answer(code).reason(reason).message(message);
	}

}
