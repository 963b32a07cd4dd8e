package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.util.function.Function;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.http.server.PathContainer;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ResponseStatus;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Edge;
import io.github.grpcresilience.deadline.ServedRequest;
import io.github.grpcresilience.deadline.ServedRequests;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.status.Causes;

/**
 * What the edge does, whichever web framework there is: gives requests their budgets, and
 * answers failed gRPC calls. Safe for concurrent use.
 */
final class HttpEdge {

	private final boolean enforced;

	private final ServedRequests requests;

	private final EdgeBudgets budgets;

	private final EdgeErrors errors;

	private final EdgeFormat format;

	private final EdgePaths exempt;

	HttpEdge(GrpcResilience resilience, Edge edge, String service) {
		this.enforced = resilience.mode() == Mode.ENFORCE;
		this.requests = resilience.requests();
		this.budgets = new EdgeBudgets(edge, service);
		this.errors = new EdgeErrors(edge);
		this.format = edge.format();
		this.exempt = new EdgePaths(edge.exemptPaths());
	}

	/**
	 * Whether a request is none of the edge's business.
	 * @param path the path within the application
	 */
	boolean isExempt(Supplier<PathContainer> path) {
		return !this.enforced || (!this.exempt.isEmpty() && this.exempt.matches(path.get()));
	}

	/**
	 * Begins a request.
	 * @param header the first value of a header; {@code null} if it is not there
	 * @throws GrpcError if its budget is malformed or nothing is left of it
	 */
	ServedRequest open(Function<String, @Nullable String> header) {
		Duration budget = this.budgets.find(header);
		return (budget != null) ? this.requests.open(budget) : this.requests.open();
	}

	/**
	 * Whether an exception says no more than that a gRPC call failed. One that brings an
	 * HTTP status along was meant to be answered with that, whatever its cause is.
	 */
	static boolean isFailedCall(Throwable thrown) {
		for (Throwable cause : Causes.of(thrown)) {
			if (Causes.statusOf(cause) != null) {
				return true;
			}
			if (cause instanceof ErrorResponse
					|| AnnotatedElementUtils.hasAnnotation(cause.getClass(), ResponseStatus.class)) {
				return false;
			}
		}
		return false;
	}

	EdgeAnswer answer(Throwable failure, String instance) {
		return EdgeAnswer.of(this.errors.of(GrpcErrors.from(failure)), this.format, instance);
	}

}
