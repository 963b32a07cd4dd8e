package io.github.grpcresilience.autoconfigure;

import java.io.IOException;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.core.Ordered;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Answers failed gRPC calls that nobody in the application handles: they come here after
 * all its advices, resolvers and filters, as they would come to the container.
 */
final class EdgeFailureFilter extends OncePerRequestFilter implements Ordered {

	private final HttpEdge edge;

	EdgeFailureFilter(HttpEdge edge) {
		this.edge = edge;
	}

	/**
	 * Outside of the filter that opens requests: when an answer is written, nothing of
	 * the request is left.
	 */
	@Override
	public int getOrder() {
		return EdgeFilter.ORDER - 1;
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
			EdgeResponse.write(this.edge.answer(ex, known, request.getRequestURI()), request, response);
		}
	}

}
