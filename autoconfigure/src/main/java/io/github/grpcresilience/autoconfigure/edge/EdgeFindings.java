package io.github.grpcresilience.autoconfigure.edge;

import java.util.ArrayList;
import java.util.List;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.properties.FindingSource;
import io.github.grpcresilience.internal.method.CalledMethod;

/**
 * Looks for requests of the HTTP edge that lack a budget. Safe for concurrent use.
 */
final class EdgeFindings implements FindingSource {

	/** Enough to know where to look. */
	private static final int MOST_METHODS = 5;

	private final GrpcResilience resilience;

	private final HttpEdge edge;

	EdgeFindings(GrpcResilience resilience, HttpEdge edge) {
		this.resilience = resilience;
		this.edge = edge;
	}

	@Override
	public List<Finding> findings() {
		List<Finding> found = new ArrayList<>();
		List<String> unbounded = this.edge.hasDefaultBudget() ? List.of() : unboundedMethods();
		if (!unbounded.isEmpty()) {
			found.add(new Finding("EDGE_WITHOUT_BUDGET", Severity.INFO, EdgeBudgets.DEFAULT,
					"HTTP requests that bring no budget along call " + names(unbounded)
							+ ": each call has the deadline of its client, and nothing bounds the request as a whole",
					"set " + EdgeBudgets.DEFAULT + ", for example to 5s, and name the paths of uploads, exports and"
							+ " other requests that may take longer in grpc.resilience.edge.exempt-paths"));
		}
		if (this.edge.ignoredBudgets() > 0) {
			found.add(new Finding("BUDGET_IGNORED", Severity.INFO, "grpc.resilience.edge.deadline-headers",
					this.edge.ignoredBudgets() + " HTTP requests brought a malformed budget along, which was ignored",
					"correct the clients that send it; once any property below grpc.resilience.edge is set, such"
							+ " requests are answered with 400, which says what is wrong"));
		}
		return found;
	}

	private List<String> unboundedMethods() {
		return this.resilience.inspection()
			.calledMethods()
			.stream()
			.filter(CalledMethod::isCalledForUnboundedRequest)
			.map(CalledMethod::name)
			.distinct()
			.toList();
	}

	private static String names(List<String> methods) {
		String first = String.join(", ", methods.subList(0, Math.min(MOST_METHODS, methods.size())));
		return (methods.size() <= MOST_METHODS) ? first : first + " and " + (methods.size() - MOST_METHODS) + " more";
	}

}
