package io.github.grpcresilience.autoconfigure.error;

import java.util.List;

import org.jspecify.annotations.Nullable;
import org.springframework.context.MessageSourceResolvable;
import org.springframework.validation.BindException;
import org.springframework.validation.BindingResult;
import org.springframework.validation.FieldError;
import org.springframework.validation.ObjectError;
import org.springframework.validation.method.MethodValidationException;
import org.springframework.validation.method.MethodValidationResult;
import org.springframework.validation.method.ParameterErrors;
import org.springframework.validation.method.ParameterValidationResult;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.InvalidRequest;

/**
 * What Spring's validation exceptions mean: the request is not valid. Rejected values are
 * not sent.
 */
public final class SpringValidationErrors implements BuiltInErrors {

	private static final String NOT_VALID = "is not valid";

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(ErrorMapper.of(BindException.class, (thrown) -> map(thrown.getBindingResult())),
				ErrorMapper.of(MethodValidationException.class, (thrown) -> map((MethodValidationResult) thrown)));
	}

	static GrpcError map(BindingResult result) {
		InvalidRequest request = new InvalidRequest();
		result.getAllErrors().forEach((error) -> add(request, "", "", error));
		return request.toError();
	}

	/**
	 * Maps what validation says of a method.
	 * @return {@code null} if it is about the method's result, which is no fault of the
	 * caller
	 */
	static @Nullable GrpcError map(MethodValidationResult result) {
		if (result.isForReturnValue()) {
			return null;
		}
		InvalidRequest request = new InvalidRequest();
		result.getParameterValidationResults().forEach((parameter) -> add(request, parameter));
		result.getCrossParameterValidationResults().forEach((error) -> add(request, "", error));
		return request.toError();
	}

	private static void add(InvalidRequest request, ParameterValidationResult result) {
		String name = result.getMethodParameter().getParameterName();
		String parameter = ((name != null) ? name : "") + subscript(result);
		if (result instanceof ParameterErrors errors) {
			// The request itself is what the method takes: fields do without its name.
			String prefix = (result.getContainer() != null) ? parameter + "." : "";
			errors.getAllErrors().forEach((error) -> add(request, prefix, parameter, error));
		}
		else {
			result.getResolvableErrors().forEach((error) -> add(request, parameter, error));
		}
	}

	private static String subscript(ParameterValidationResult result) {
		Object subscript = (result.getContainerIndex() != null) ? result.getContainerIndex() : result.getContainerKey();
		if (subscript == null) {
			return (result.getContainer() instanceof Iterable) ? "[]" : "";
		}
		return "[" + subscript + "]";
	}

	private static void add(InvalidRequest request, String prefix, String whole, ObjectError error) {
		if (!(error instanceof FieldError field)) {
			add(request, whole, error);
		}
		else if (field.isBindingFailure()) {
			// Its text names classes, and the value that could not be converted.
			request.violation(prefix + field.getField(), "has a value of another type", field.getCode());
		}
		else {
			add(request, prefix + field.getField(), field);
		}
	}

	private static void add(InvalidRequest request, String path, MessageSourceResolvable error) {
		String text = error.getDefaultMessage();
		String[] codes = error.getCodes();
		request.violation(path, (text != null) ? text : NOT_VALID,
				(codes != null && codes.length > 0) ? codes[codes.length - 1] : null);
	}

}
