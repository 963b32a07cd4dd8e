package io.github.grpcresilience.sample.gateway;

import java.util.Map;
import java.util.stream.Stream;

import io.grpc.StatusRuntimeException;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

import io.github.grpcresilience.error.GrpcErrors;

/**
 * Answers a failed gRPC call as a problem (RFC 9457) with the code, the reason and, where
 * time ran out, the hop that spent it.
 */
@RestControllerAdvice
final class GrpcProblemAdvice {

	@ExceptionHandler
	ProblemDetail handle(StatusRuntimeException failure) {
		HttpStatus status = httpStatus(failure);
		ProblemDetail problem = ProblemDetail.forStatus(status);
		problem.setTitle(status.getReasonPhrase());
		problem.setProperty("code", failure.getStatus().getCode().name());
		if (!status.is5xxServerError()) {
			// What a server says about its own failure is not for the user.
			problem.setDetail(failure.getStatus().getDescription());
		}
		GrpcErrors.from(failure).errorInfo().ifPresent((info) -> {
			Map<String, String> metadata = info.getMetadataMap();
			problem.setProperty("reason", info.getReason());
			problem.setProperty("metadata", metadata);
			if (status == HttpStatus.GATEWAY_TIMEOUT) {
				// A client that gave up knows no service, only its own name for it.
				Stream.of("spent_by_service", "service", "client")
					.filter(metadata::containsKey)
					.findFirst()
					.ifPresent((key) -> problem.setProperty("hop", metadata.get(key)));
			}
		});
		return problem;
	}

	private static HttpStatus httpStatus(StatusRuntimeException failure) {
		return switch (failure.getStatus().getCode()) {
			case NOT_FOUND -> HttpStatus.NOT_FOUND;
			case INVALID_ARGUMENT, FAILED_PRECONDITION -> HttpStatus.BAD_REQUEST;
			case UNAVAILABLE -> HttpStatus.SERVICE_UNAVAILABLE;
			case DEADLINE_EXCEEDED -> HttpStatus.GATEWAY_TIMEOUT;
			case RESOURCE_EXHAUSTED -> HttpStatus.TOO_MANY_REQUESTS;
			default -> HttpStatus.INTERNAL_SERVER_ERROR;
		};
	}

}
