package io.github.grpcresilience.autoconfigure.edge.servlet;

import java.util.concurrent.Callable;

import org.jspecify.annotations.Nullable;
import org.springframework.web.context.request.NativeWebRequest;
import org.springframework.web.context.request.RequestAttributes;
import org.springframework.web.context.request.async.CallableProcessingInterceptor;

import io.github.grpcresilience.autoconfigure.edge.EdgeRequest;
import io.github.grpcresilience.internal.call.CallScope;

/**
 * Runs callables that controllers return in their request, whatever became of it. As
 * tasks of the request they would be dropped with it, and Spring MVC, which waits for
 * each callable it has submitted, would answer only when the container's time is over.
 */
final class EdgeCallables implements CallableProcessingInterceptor {

	private static final String PREVIOUS = EdgeCallables.class.getName() + ".previous";

	/**
	 * Called on the request's thread, before the callable is submitted to an executor;
	 * the filter restores what was there before the request.
	 */
	@Override
	public <T> void beforeConcurrentHandling(NativeWebRequest request, Callable<T> task) {
		if (find(request) != null) {
			CallScope.leave(null);
		}
	}

	@Override
	public <T> void preProcess(NativeWebRequest request, Callable<T> task) {
		EdgeRequest known = find(request);
		if (known != null) {
			CallScope outer = known.served().scope().enter();
			if (outer != null) {
				request.setAttribute(PREVIOUS, outer, RequestAttributes.SCOPE_REQUEST);
			}
		}
	}

	/**
	 * Called on the same thread, also if the callable threw.
	 */
	@Override
	public <T> void postProcess(NativeWebRequest request, Callable<T> task, @Nullable Object result) {
		if (find(request) != null) {
			CallScope.leave((CallScope) request.getAttribute(PREVIOUS, RequestAttributes.SCOPE_REQUEST));
			request.removeAttribute(PREVIOUS, RequestAttributes.SCOPE_REQUEST);
		}
	}

	private static @Nullable EdgeRequest find(NativeWebRequest request) {
		return (EdgeRequest) request.getAttribute(EdgeFilter.REQUEST, RequestAttributes.SCOPE_REQUEST);
	}

}
