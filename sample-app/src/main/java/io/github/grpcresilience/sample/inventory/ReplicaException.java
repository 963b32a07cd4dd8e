package io.github.grpcresilience.sample.inventory;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/**
 * Something was asked of a replica that it cannot do; Spring answers with a problem.
 */
final class ReplicaException extends ErrorResponseException {

	private static final long serialVersionUID = 1L;

	ReplicaException(HttpStatus status, String detail) {
		super(status, ProblemDetail.forStatusAndDetail(status, detail), null);
	}

}
