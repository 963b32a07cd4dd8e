package io.github.grpcresilience.autoconfigure.edge.servlet;

import java.io.IOException;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.Ordered;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.filter.ServerHttpObservationFilter;

import io.github.grpcresilience.autoconfigure.edge.EdgeAnswer;
import io.github.grpcresilience.autoconfigure.edge.EdgeRequest;
import io.github.grpcresilience.autoconfigure.edge.HttpEdge;

/**
 * Answers failed gRPC calls that nobody in the application handles: they come here after
 * all its advices, resolvers and filters, as they would come to the container.
 */
final class EdgeFailureFilter extends OncePerRequestFilter implements Ordered {

	private final HttpEdge edge;

	private final ObjectProvider<ObservationRegistry> observations;

	private final int order;

	EdgeFailureFilter(HttpEdge edge, int order, ObjectProvider<ObservationRegistry> observations) {
		this.edge = edge;
		this.order = order;
		this.observations = observations;
	}

	@Override
	public int getOrder() {
		return this.order;
	}

	@Override
	protected boolean shouldNotFilter(HttpServletRequest request) {
		return EdgeFilter.isExempt(this.edge, request);
	}

	@Override
	protected boolean shouldNotFilterAsyncDispatch() {
		return false;
	}

	@Override
	protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
			throws ServletException, IOException {
		try {
			chain.doFilter(request, response);
		}
		catch (Exception ex) {
			if (!HttpEdge.isFailedCall(ex)) {
				throw ex;
			}
			EdgeRequest known = EdgeFilter.find(request);
			if (response.isCommitted()) {
				this.edge.failedInTheMiddle(known, ex);
				throw ex;
			}
			EdgeAnswer answer = this.edge.answer(ex, known, request.getRequestURI());
			this.edge.log(request.getMethod(), request.getRequestURI(), answer, ex);
			if (answer.status().is5xxServerError()) {
				observe(request, ex);
			}
			EdgeResponse.write(answer, request, response);
		}
	}

	/**
	 * Tells Spring's observation, which is further out, what it would have seen.
	 */
	private void observe(HttpServletRequest request, Exception thrown) {
		Throwable failure = (thrown instanceof ServletException && thrown.getCause() != null) ? thrown.getCause()
				: thrown;
		ServerHttpObservationFilter.findObservationContext(request).ifPresent((context) -> {
			ObservationRegistry registry = this.observations.getIfAvailable();
			Observation current = (registry != null) ? registry.getCurrentObservation() : null;
			if (current != null && current.getContextView() == context) {
				current.error(failure);
			}
			else {
				context.setError(failure);
			}
		});
	}

}
