package io.github.grpcresilience.autoconfigure;

import java.io.IOException;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.core.Ordered;
import org.springframework.http.server.PathContainer;
import org.springframework.http.server.RequestPath;
import org.springframework.web.filter.OncePerRequestFilter;

import io.github.grpcresilience.call.CallScope;
import io.github.grpcresilience.deadline.ServedRequest;
import io.github.grpcresilience.error.GrpcError;

/**
 * Gives each HTTP request its budget. An asynchronous request goes on after the first
 * dispatch; each further one is the same request.
 */
final class EdgeFilter extends OncePerRequestFilter implements Ordered {

	/**
	 * Inside of encoding, forwarded headers and observation, outside of sessions and
	 * security, whose work counts.
	 */
	static final int ORDER = Ordered.HIGHEST_PRECEDENCE + 10;

	/** Attribute that holds the request as it is served; absent if it has no budget. */
	static final String REQUEST = EdgeFilter.class.getName() + ".request";

	private final HttpEdge edge;

	private final EdgeResponse refusals;

	EdgeFilter(HttpEdge edge, EdgeResponse refusals) {
		this.edge = edge;
		this.refusals = refusals;
	}

	@Override
	public int getOrder() {
		return ORDER;
	}

	@Override
	protected boolean shouldNotFilter(HttpServletRequest request) {
		return this.edge.isExempt(() -> path(request));
	}

	static PathContainer path(HttpServletRequest request) {
		return RequestPath.parse(request.getRequestURI(), request.getContextPath()).pathWithinApplication();
	}

	@Override
	protected boolean shouldNotFilterAsyncDispatch() {
		return false;
	}

	@Override
	protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
			throws ServletException, IOException {
		ServedRequest known = (ServedRequest) request.getAttribute(REQUEST);
		if (known != null) {
			dispatch(known, request, response, chain);
			return;
		}
		ServedRequest served;
		try {
			served = this.edge.open(request::getHeader);
		}
		catch (GrpcError ex) {
			this.refusals.write(this.edge.answer(ex, null, request.getRequestURI()), response);
			return;
		}
		request.setAttribute(REQUEST, served);
		try {
			dispatch(served, request, response, chain);
		}
		finally {
			if (request.isAsyncStarted()) {
				request.getAsyncContext().addListener(new EdgeAsyncListener(served));
			}
		}
	}

	private static void dispatch(ServedRequest served, HttpServletRequest request, HttpServletResponse response,
			FilterChain chain) throws ServletException, IOException {
		CallScope outer = served.scope().enter();
		try {
			chain.doFilter(request, response);
		}
		finally {
			CallScope.leave(outer);
			if (!request.isAsyncStarted()) {
				served.end();
			}
		}
	}

}
