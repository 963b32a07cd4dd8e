package io.github.grpcresilience.sample.gateway;

import java.io.IOException;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Lets browsers and terminals say a budget: the parameter {@code budget}, such as
 * {@code ?budget=500ms}, stands for the header that has it last. Comes before the edge,
 * which reads the header.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
final class BudgetParameter extends OncePerRequestFilter {

	private static final String HEADER = "X-Budget-Ms";

	@Override
	protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
			throws ServletException, IOException {
		chain.doFilter(new BudgetRequest(request), response);
	}

	private static final class BudgetRequest extends HttpServletRequestWrapper {

		private BudgetRequest(HttpServletRequest request) {
			super(request);
		}

		@Override
		public @Nullable String getHeader(String name) {
			if (!name.equalsIgnoreCase(HEADER)) {
				return super.getHeader(name);
			}
			String budget = getParameter("budget");
			return (budget != null) ? millis(budget) : null;
		}

		/**
		 * What is malformed stays as it is: the edge refuses it.
		 */
		private static String millis(String budget) {
			try {
				return String.valueOf(CheckoutParameters.duration("budget", budget).toMillis());
			}
			catch (MalformedRequestException ex) {
				return budget;
			}
		}

	}

}
