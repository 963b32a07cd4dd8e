package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.util.function.Function;
import java.util.function.Supplier;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.http.server.PathContainer;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ResponseStatus;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Edge;
import io.github.grpcresilience.call.CallEndedException;
import io.github.grpcresilience.cancel.WorkCanceller;
import io.github.grpcresilience.deadline.ServedRequest;
import io.github.grpcresilience.deadline.ServedRequests;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.policy.CommitAfterEnd;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.status.Causes;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.status.StatusDetails;

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

	private final CommitAfterEnd commits;

	private final WorkCanceller canceller;

	HttpEdge(GrpcResilience resilience, Edge edge, String service) {
		this.enforced = resilience.mode() == Mode.ENFORCE;
		this.requests = resilience.requests();
		this.budgets = new EdgeBudgets(edge, service);
		this.errors = new EdgeErrors(edge);
		this.format = edge.format();
		this.exempt = new EdgePaths(edge.exemptPaths());
		this.commits = edge.commitAfterEnd();
		this.canceller = resilience.canceller();
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
		return (budget != null) ? this.requests.open(budget, this.commits) : this.requests.open(this.commits);
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

	/**
	 * Answers a failed gRPC call.
	 * @param served the request; {@code null} if it has no budget
	 */
	EdgeAnswer answer(Throwable failure, @Nullable ServedRequest served, String instance) {
		boolean shared = CallEndedException.isOfAnother(failure, (served != null) ? served.record() : null);
		Throwable told = shared ? shared() : failure;
		return EdgeAnswer.of(this.errors.of(GrpcErrors.from(told)), this.format, instance);
	}

	/**
	 * Another request began the work, and its end says nothing of this one.
	 */
	private static GrpcError shared() {
		return GrpcError.answer(Status.Code.UNAVAILABLE)
			.message("the work was shared with a request that has ended")
			.reason(Reason.SHARED_WORK_ENDED.name())
			.domain(StatusDetails.DOMAIN);
	}

	/**
	 * Runs what may block.
	 */
	void execute(Runnable action) {
		this.canceller.cancel(action);
	}

}
