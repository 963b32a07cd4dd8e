package io.github.grpcresilience.error.validation;

import jakarta.validation.ElementKind;
import jakarta.validation.Path;

/**
 * Path of a property as callers write it: without the method and the parameter through
 * which the request came.
 */
final class RequestPath {

	private RequestPath() {
	}

	static boolean isReturnValue(Path path) {
		for (Path.Node node : path) {
			if (node.getKind() == ElementKind.RETURN_VALUE) {
				return true;
			}
		}
		return false;
	}

	static String render(Path path) {
		StringBuilder text = new StringBuilder();
		String parameter = "";
		for (Path.Node node : path) {
			if (node.getKind() == ElementKind.PARAMETER) {
				parameter = node.getName();
			}
			if (node.isInIterable()) {
				// The index of an element stands at what follows its container.
				text.append((text.length() == 0) ? parameter : "").append('[').append(subscript(node)).append(']');
			}
			if (node.getKind() == ElementKind.PROPERTY) {
				text.append((text.length() > 0) ? "." : "").append(node.getName());
			}
		}
		return (text.length() > 0) ? text.toString() : parameter;
	}

	/** Empty for an element of a set, which has neither index nor key. */
	private static String subscript(Path.Node node) {
		Object subscript = (node.getIndex() != null) ? node.getIndex() : node.getKey();
		return (subscript != null) ? subscript.toString() : "";
	}

}
