package io.github.grpcresilience.autoconfigure.edge.servlet;

import java.io.IOException;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.http.server.PathContainer;
import org.springframework.http.server.RequestPath;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.util.WebUtils;

import io.github.grpcresilience.autoconfigure.edge.EdgeAnswer;
import io.github.grpcresilience.autoconfigure.edge.EdgeRequest;
import io.github.grpcresilience.autoconfigure.edge.HttpEdge;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.deadline.ServedRequest;

/**
 * Gives each HTTP request its budget. An asynchronous request goes on after the first
 * dispatch; each further one is the same request.
 */
final class EdgeFilter extends OncePerRequestFilter implements Ordered {

	/** Attribute that holds the request as it is served. */
	static final String REQUEST = EdgeFilter.class.getName() + ".request";

	private final HttpEdge edge;

	private final int order;

	EdgeFilter(HttpEdge edge, int order) {
		this.edge = edge;
		this.order = order;
	}

	@Override
	public int getOrder() {
		return this.order;
	}

	@Override
	protected boolean shouldNotFilter(HttpServletRequest request) {
		return isExempt(this.edge, request);
	}

	static boolean isExempt(HttpEdge edge, HttpServletRequest request) {
		return edge.isExempt(request.getContentType(), () -> path(request));
	}

	private static PathContainer path(HttpServletRequest request) {
		return RequestPath.parse(request.getRequestURI(), request.getContextPath()).pathWithinApplication();
	}

	@Override
	protected boolean shouldNotFilterAsyncDispatch() {
		return false;
	}

	@Override
	protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
			throws ServletException, IOException {
		EdgeRequest known = find(request);
		if (known != null) {
			dispatch(known, request, response, chain);
			return;
		}
		EdgeRequest opened;
		try {
			opened = this.edge.open(request::getHeader, request.getMethod(), request.getRequestURI(),
					response::isCommitted);
		}
		catch (GrpcError ex) {
			EdgeAnswer answer = this.edge.answer(ex, null, request.getRequestURI());
			this.edge.log(request.getMethod(), request.getRequestURI(), answer, ex);
			EdgeResponse.write(answer, request, response);
			return;
		}
		request.setAttribute(REQUEST, opened);
		try {
			dispatch(opened, request, response, chain);
		}
		finally {
			if (request.isAsyncStarted()) {
				request.getAsyncContext().addListener(new EdgeAsyncListener(opened.served()));
			}
		}
	}

	/**
	 * The request as it is served.
	 * @return {@code null} if it is none of the edge's business
	 */
	static @Nullable EdgeRequest find(ServletRequest request) {
		return (EdgeRequest) request.getAttribute(REQUEST);
	}

	private static void dispatch(EdgeRequest known, HttpServletRequest request, HttpServletResponse response,
			FilterChain chain) throws ServletException, IOException {
		ServedRequest served = known.served();
		boolean scoped = known.budget() == null
				|| WebUtils.getNativeResponse(response, EdgeScopedResponse.class) != null;
		CallScope outer = served.scope().enter();
		try {
			chain.doFilter(request, scoped ? response : new EdgeScopedResponse(response));
		}
		finally {
			CallScope.leave(outer);
			if (!request.isAsyncStarted()) {
				served.end();
			}
		}
	}

}
