package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.lang.StackWalker.StackFrame;

import io.github.grpcresilience.internal.cancel.jdbc.ConnectionLender;

/**
 * A pool that asks a connection which comes back whether it is closed, and then does not
 * lend it again. Nothing tells a connection that it comes back but who asks.
 *
 * @param type class that takes connections back
 * @param method its method that does
 */
record ReturningLender(Class<?> type, String method) implements ConnectionLender {

	private static final StackWalker STACK = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

	@Override
	public boolean isReturning() {
		return STACK.walk((frames) -> frames.anyMatch(this::isReturn));
	}

	private boolean isReturn(StackFrame frame) {
		return frame.getDeclaringClass() == this.type && frame.getMethodName().equals(this.method);
	}

}
