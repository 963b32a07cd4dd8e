package io.github.grpcresilience.internal.deadline;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Inherited;
import io.github.grpcresilience.internal.method.CalledMethod;

/**
 * Those who make calls in a way that somebody should know of.
 */
final class Callers {

	private Callers() {
	}

	/**
	 * Notes what a finding will say of the caller on this thread.
	 * @param method the method that is called
	 * @param scope whose work the thread does; {@code null} for nobody's
	 * @param inherited what the caller has left
	 */
	static void note(CalledMethod method, @Nullable CallScope scope, Inherited inherited) {
		if (CallScope.isNobody()) {
			method.calledByNobody();
		}
		if (scope != null && inherited.isNothing() && scope.call().isRequest()) {
			method.calledForUnboundedRequest();
		}
	}

}
