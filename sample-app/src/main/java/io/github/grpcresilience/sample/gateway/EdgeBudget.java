package io.github.grpcresilience.sample.gateway;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import com.google.rpc.Code;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.stereotype.Component;

import io.github.grpcresilience.deadline.GrpcTimeout;
import io.github.grpcresilience.sample.shared.ShopErrors;

/**
 * The budget of an HTTP request: the {@code grpc-timeout} header, else Envoy's, else the
 * parameter {@code budget}, else a default. Safe for concurrent use.
 */
@Component
final class EdgeBudget implements DisposableBean {

	private static final Duration DEFAULT = Duration.ofSeconds(5);

	private static final Duration MAX = Duration.ofSeconds(30);

	private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);

	EdgeBudget() {
		// Otherwise the timer of every request that ended in time is kept until it fires.
		this.timer.setRemoveOnCancelPolicy(true);
	}

	/**
	 * Reads a request's budget.
	 * @throws MalformedRequestException if the request says it in no known way
	 */
	static Duration of(HttpServletRequest request) {
		Duration budget = asked(request);
		return (budget.compareTo(MAX) > 0) ? MAX : budget;
	}

	private static Duration asked(HttpServletRequest request) {
		String timeout = request.getHeader("grpc-timeout");
		if (timeout != null) {
			try {
				return Duration.ofNanos(GrpcTimeout.parseNanos(timeout));
			}
			catch (IllegalArgumentException ex) {
				throw new MalformedRequestException(ex.getMessage());
			}
		}
		String millis = request.getHeader("X-Envoy-Expected-Rq-Timeout-Ms");
		if (millis != null) {
			if (!millis.matches("[0-9]{1,15}")) {
				throw new MalformedRequestException(
						"X-Envoy-Expected-Rq-Timeout-Ms must be a whole number of milliseconds");
			}
			return Duration.ofMillis(Long.parseLong(millis));
		}
		String budget = request.getParameter("budget");
		return (budget != null) ? CheckoutParameters.duration("budget", budget) : DEFAULT;
	}

	/**
	 * Runs something within a budget, which the gRPC stubs that it uses inherit.
	 * @throws io.grpc.StatusRuntimeException DEADLINE_EXCEEDED if there is no budget
	 */
	<T> T within(Duration budget, Supplier<T> call) {
		if (budget.isZero()) {
			throw ShopErrors.of(Code.DEADLINE_EXCEEDED, "BUDGET_EXHAUSTED", "No time left",
					Map.of("service", "gateway"));
		}
		CancellableContext context = Context.current()
			.withDeadlineAfter(budget.toNanos(), TimeUnit.NANOSECONDS, this.timer);
		Context caller = context.attach();
		try {
			return call.get();
		}
		finally {
			context.detachAndCancel(caller, null);
		}
	}

	@Override
	public void destroy() {
		this.timer.shutdownNow();
	}

}
