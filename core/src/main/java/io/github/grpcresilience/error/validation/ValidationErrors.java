package io.github.grpcresilience.error.validation;

import java.util.Comparator;
import java.util.List;
import java.util.Set;

import jakarta.validation.ConstraintViolation;
import jakarta.validation.ConstraintViolationException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.InvalidRequest;

/**
 * What violated {@code jakarta.validation} constraints mean: the request is not valid. A
 * constraint on a return value is not about the request, and stays unmapped. Rejected
 * values are not sent, unless the text of a constraint repeats them.
 */
public final class ValidationErrors implements BuiltInErrors {

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(ErrorMapper.of(ConstraintViolationException.class, ValidationErrors::map));
	}

	private static @Nullable GrpcError map(ConstraintViolationException thrown) {
		Set<ConstraintViolation<?>> violations = thrown.getConstraintViolations();
		InvalidRequest request = new InvalidRequest();
		if (violations == null) {
			return request.toError();
		}
		if (violations.stream().anyMatch((violation) -> RequestPath.isReturnValue(violation.getPropertyPath()))) {
			return null;
		}
		// The set has no order, the answer shall have one.
		violations.stream()
			.map(Finding::of)
			.sorted(Comparator.comparing(Finding::field).thenComparing(Finding::description))
			.forEach((finding) -> request.violation(finding.field(), finding.description(), finding.rule()));
		return request.toError();
	}

	private record Finding(String field, String description, @Nullable String rule) {

		static Finding of(ConstraintViolation<?> violation) {
			return new Finding(RequestPath.render(violation.getPropertyPath()), description(violation),
					rule(violation));
		}

		private static String description(ConstraintViolation<?> violation) {
			String message = violation.getMessage();
			return (message != null) ? message : "is not valid";
		}

		private static @Nullable String rule(ConstraintViolation<?> violation) {
			return (violation.getConstraintDescriptor() != null)
					? violation.getConstraintDescriptor().getAnnotation().annotationType().getSimpleName() : null;
		}

	}

}
