package io.github.grpcresilience.sample.gateway;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/**
 * A request that cannot be understood; Spring answers it with 400 and what was expected.
 */
final class MalformedRequestException extends ErrorResponseException {

	private static final long serialVersionUID = 1L;

	MalformedRequestException(@Nullable String expected) {
		super(HttpStatus.BAD_REQUEST, ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, expected), null);
	}

}
