package io.github.grpcresilience.error.protovalidate;

import build.buf.protovalidate.ValidationResult;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.exceptions.ValidationException;
import build.buf.validate.FieldPathElement;
import build.buf.validate.Violation;
import com.google.protobuf.Message;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.InvalidRequest;
import io.github.grpcresilience.error.RequestCheck;

/**
 * Checks requests against the <a href="https://protovalidate.com">protovalidate</a> rules
 * of their messages. What is no protobuf message passes. Immutable, safe for concurrent
 * use.
 */
public final class ProtovalidateCheck implements RequestCheck {

	private final Validator validator;

	/**
	 * Checks with a given validator.
	 * @param validator the validator, which reads the rules of a message when it sees the
	 * first one
	 */
	public ProtovalidateCheck(Validator validator) {
		this.validator = validator;
	}

	/**
	 * Checks one message.
	 * @throws IllegalStateException if a rule cannot be compiled or evaluated, which is a
	 * fault of whoever wrote it
	 */
	@Override
	public @Nullable GrpcError check(Object request) {
		if (!(request instanceof Message message)) {
			return null;
		}
		try {
			ValidationResult result = this.validator.validate(message);
			return result.isSuccess() ? null : error(result);
		}
		catch (ValidationException ex) {
			throw new IllegalStateException(
					"The rules of " + message.getDescriptorForType().getFullName() + " are broken", ex);
		}
	}

	/**
	 * Compiles the rules of a type, and of all that it contains: a second or so for the
	 * first ones.
	 * @throws IllegalStateException if a rule cannot be compiled
	 */
	@Override
	public void prepare(Object prototype) {
		check(prototype);
	}

	private static GrpcError error(ValidationResult result) {
		InvalidRequest invalid = new InvalidRequest();
		for (build.buf.protovalidate.Violation found : result.getViolations()) {
			Violation violation = found.toProto();
			String message = violation.getMessage();
			invalid.violation(path(violation), message.isEmpty() ? "is not valid" : message, violation.getRuleId());
		}
		return invalid.toError();
	}

	/** As {@code buf/validate/validate.proto} writes paths. */
	private static String path(Violation violation) {
		StringBuilder path = new StringBuilder();
		for (FieldPathElement element : violation.getField().getElementsList()) {
			path.append((path.length() > 0) ? "." : "").append(element.getFieldName());
			if (element.getSubscriptCase() != FieldPathElement.SubscriptCase.SUBSCRIPT_NOT_SET) {
				path.append('[').append(subscript(element)).append(']');
			}
		}
		return path.toString();
	}

	private static String subscript(FieldPathElement element) {
		return switch (element.getSubscriptCase()) {
			case INDEX -> Long.toUnsignedString(element.getIndex());
			case BOOL_KEY -> Boolean.toString(element.getBoolKey());
			case INT_KEY -> Long.toString(element.getIntKey());
			case UINT_KEY -> Long.toUnsignedString(element.getUintKey());
			case STRING_KEY -> '"' + element.getStringKey().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
			case SUBSCRIPT_NOT_SET -> "";
		};
	}

}
