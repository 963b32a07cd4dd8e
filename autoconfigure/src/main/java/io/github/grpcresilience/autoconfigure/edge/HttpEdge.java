package io.github.grpcresilience.autoconfigure.edge;

import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.http.server.PathContainer;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ResponseStatus;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceEdgeCustomizer;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Edge;
import io.github.grpcresilience.call.CallEndedException;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.deadline.ServedRequest;
import io.github.grpcresilience.internal.deadline.ServedRequests;
import io.github.grpcresilience.internal.status.Causes;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.policy.CommitAfterEnd;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.status.Reason;

/**
 * What the edge does, whichever web framework there is: gives requests their budgets, and
 * answers failed gRPC calls. Safe for concurrent use.
 */
public final class HttpEdge {

	private static final String GRPC = "application/grpc";

	private final boolean enforced;

	private final ServedRequests requests;

	private final EdgeBudgets budgets;

	private final EdgeErrors errors;

	private final EdgeFormat format;

	private final EdgePaths exempt;

	private final CommitAfterEnd commits;

	private final WorkCanceller canceller;

	private final Supplier<String> ids;

	private final Supplier<Stream<GrpcResilienceEdgeCustomizer>> customizers;

	private final EdgeLog log = new EdgeLog();

	/**
	 * Creates the edge.
	 * @param service name of this application
	 * @param configured whether the application has said anything of its edge
	 * @param ids names requests that failed
	 * @param customizers add to answers
	 */
	HttpEdge(GrpcResilience resilience, Edge edge, String service, boolean configured, Supplier<String> ids,
			Supplier<Stream<GrpcResilienceEdgeCustomizer>> customizers) {
		this.ids = ids;
		this.customizers = customizers;
		this.enforced = resilience.mode() == Mode.ENFORCE;
		this.requests = resilience.work().requests();
		this.budgets = new EdgeBudgets(edge, service, configured);
		this.errors = new EdgeErrors(edge);
		this.format = edge.format();
		this.exempt = new EdgePaths(edge.exemptPaths());
		this.commits = edge.commitAfterEnd();
		this.canceller = resilience.work().canceller();
	}

	/**
	 * Whether a request is none of the edge's business.
	 * @param contentType content type of the request; {@code null} if it has none
	 * @param path the path within the application
	 */
	public boolean isExempt(@Nullable String contentType, Supplier<PathContainer> path) {
		return !this.enforced || isGrpc(contentType) || (!this.exempt.isEmpty() && this.exempt.matches(path.get()));
	}

	/**
	 * Whether it is a call of gRPC, served over HTTP by somebody else.
	 */
	private static boolean isGrpc(@Nullable String contentType) {
		return contentType != null && contentType.regionMatches(true, 0, GRPC, 0, GRPC.length());
	}

	/**
	 * Begins a request.
	 * @param header the first value of a header; {@code null} if it is not there
	 * @param method method of the request
	 * @param path path of the request
	 * @param responding whether the response has begun; may be asked on another thread
	 * @throws GrpcError if its budget is malformed or nothing is left of it
	 */
	public EdgeRequest open(Function<String, @Nullable String> header, String method, String path,
			BooleanSupplier responding) {
		EdgeBudget budget = this.budgets.find(header);
		if (budget == null) {
			return new EdgeRequest(this.requests.open(this.commits), null, method, path);
		}
		EdgeRequest request = new EdgeRequest(this.requests.open(budget.duration(), this.commits), budget, method,
				path);
		request.record().listen((ended) -> {
			if (ended.remainingNanos() <= 0 && isResponding(request.served(), responding)) {
				execute(() -> this.log.cut(request, budget));
			}
		});
		return request;
	}

	/**
	 * A request has failed whose response had begun, so that nobody can be told any more.
	 * @param request the request; {@code null} if the edge has not opened it
	 */
	public void failedInTheMiddle(@Nullable EdgeRequest request, Throwable thrown) {
		if (request != null && request.budget() != null && request.isOutOfBudget(thrown)) {
			this.log.cut(request, request.budget());
		}
	}

	/**
	 * Containers use responses again, and what is asked of one after its request has
	 * ended is an answer about another.
	 */
	private static boolean isResponding(ServedRequest served, BooleanSupplier responding) {
		try {
			return !served.hasEnded() && responding.getAsBoolean() && !served.hasEnded();
		}
		catch (IllegalStateException ex) {
			return false; // it has just ended
		}
	}

	/**
	 * Whether requests that bring no budget along are given one.
	 */
	boolean hasDefaultBudget() {
		return this.budgets.hasDefault();
	}

	/**
	 * Malformed budgets that were ignored.
	 */
	long ignoredBudgets() {
		return this.budgets.ignored();
	}

	/**
	 * Whether an exception says no more than that a gRPC call failed. One that brings an
	 * HTTP status along was meant to be answered with that, whatever its cause is.
	 */
	public static boolean isFailedCall(Throwable thrown) {
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
	 * @param request the request; {@code null} if the edge has not opened it
	 * @param path path of the request
	 */
	public EdgeAnswer answer(Throwable failure, @Nullable EdgeRequest request, String path) {
		boolean shared = CallEndedException.isOfAnother(failure, (request != null) ? request.record() : null);
		Throwable told = shared ? shared() : failure;
		EdgeError error = this.errors.of(GrpcErrors.from(told));
		EdgeAnswer answer = EdgeAnswer.of((error.status() >= 500) ? error.named(this.ids) : error, this.format, path);
		this.customizers.get().forEach((customizer) -> customizer.customize(answer.body(), failure));
		return answer;
	}

	/**
	 * Tells in the log of what is no fault of the request, by the id that the answer
	 * names.
	 */
	public void log(String method, String path, EdgeAnswer answer, Throwable failure) {
		if (answer.status().is5xxServerError()) {
			this.log.failed(method, path, answer.error(), failure);
		}
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
	public void execute(Runnable action) {
		this.canceller.cancel(action);
	}

}
