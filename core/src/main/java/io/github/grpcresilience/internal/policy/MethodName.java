package io.github.grpcresilience.internal.policy;

import java.util.regex.Pattern;

/**
 * Full names of services and methods.
 */
final class MethodName {

	private static final String IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*";

	private static final Pattern SERVICE = Pattern.compile(IDENTIFIER + "(\\." + IDENTIFIER + ")*");

	private static final Pattern TARGET = Pattern.compile(SERVICE.pattern() + "(/" + IDENTIFIER + ")?");

	private MethodName() {
	}

	/**
	 * Whether the text names a method or a whole service.
	 */
	static boolean isTarget(String text) {
		return TARGET.matcher(text).matches();
	}

	static boolean isService(String text) {
		return SERVICE.matcher(text).matches();
	}

	static boolean isMethod(String target) {
		return target.indexOf('/') >= 0;
	}

	static String serviceOf(String target) {
		int slash = target.lastIndexOf('/');
		return (slash < 0) ? target : target.substring(0, slash);
	}

}
