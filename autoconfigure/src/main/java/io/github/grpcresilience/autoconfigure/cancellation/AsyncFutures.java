package io.github.grpcresilience.autoconfigure.cancellation;

import java.util.concurrent.Future;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * Tells the executor of an {@code @Async} method that returns a future that the task
 * belongs to the call: who asks for a future waits for it. Stands in front of what
 * submits the task, on the thread of the caller; at the executor all tasks look alike.
 */
final class AsyncFutures implements MethodInterceptor {

	/** Whether the next task that is submitted on the thread is such a one. */
	private static final ThreadLocal<@Nullable Boolean> NEXT = new ThreadLocal<>();

	/**
	 * Whether the task that is being submitted belongs to its call; asked once.
	 */
	static boolean take() {
		boolean asked = NEXT.get() != null;
		if (asked) {
			NEXT.set(null);
		}
		return asked;
	}

	@Override
	public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
		if (CallScope.current() == null || !Future.class.isAssignableFrom(invocation.getMethod().getReturnType())) {
			return invocation.proceed();
		}
		NEXT.set(true);
		try {
			return invocation.proceed();
		}
		finally {
			NEXT.set(null);
		}
	}

}
