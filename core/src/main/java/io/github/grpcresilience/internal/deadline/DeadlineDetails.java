package io.github.grpcresilience.internal.deadline;

import java.util.LinkedHashMap;
import java.util.Map;

import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.SpentBy;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * Statuses and {@code ErrorInfo} metadata of calls that a deadline ended.
 */
final class DeadlineDetails {

	private static final String SERVICE = "service";

	private static final String METHOD = "method";

	private static final String CLIENT = "client";

	private static final String BUDGET_MS = "budget_ms";

	private static final String ELAPSED_MS = "elapsed_ms";

	private static final String QUEUE_MS = "queue_ms";

	private static final String SIDE = "side";

	private DeadlineDetails() {
	}

	/**
	 * Writes and reads one answer. What this loads takes a JVM longer than the margin of
	 * the first call that needs it, which may be the first minute of an outage.
	 */
	static void load() {
		Metadata trailers = new Metadata();
		exceededOnServer(trailers, "", "", 0, 0, 0, null);
		SpentBy.find(trailers);
	}

	static Status exceededOnServer(Metadata trailers, String service, String method, long budgetNanos, long queueNanos,
			long elapsedNanos, @Nullable SpentBy spentBy) {
		String where = (spentBy != null) ? " in a call to " + spentBy.method() : "";
		Status status = Status.DEADLINE_EXCEEDED.withDescription("deadline exceeded" + where + ", after "
				+ millis(elapsedNanos) + " ms of a budget of " + millis(budgetNanos) + " ms");
		Map<String, String> metadata = new LinkedHashMap<>();
		metadata.put(METHOD, method);
		metadata.put(SERVICE, service);
		metadata.put(SIDE, "server");
		metadata.put(BUDGET_MS, millis(budgetNanos));
		metadata.put(QUEUE_MS, millis(queueNanos));
		metadata.put(ELAPSED_MS, millis(elapsedNanos));
		if (spentBy != null) {
			spentBy.addTo(metadata);
		}
		StatusDetails.put(trailers, status, Reason.DEADLINE_EXCEEDED, metadata);
		return status;
	}

	static Status requiredOnServer(Metadata trailers, String service, String method) {
		Status status = Status.INVALID_ARGUMENT.withDescription("a deadline is required: send grpc-timeout");
		StatusDetails.put(trailers, status, Reason.DEADLINE_REQUIRED,
				Map.of(METHOD, method, SERVICE, service, SIDE, "server"));
		return status;
	}

	static Status requiredOnClient(Metadata trailers, String client, String method) {
		Status status = Status.INVALID_ARGUMENT
			.withDescription("a deadline is required: call the stub withDeadlineAfter, or set deadline.default");
		StatusDetails.put(trailers, status, Reason.DEADLINE_REQUIRED,
				Map.of(METHOD, method, CLIENT, client, SIDE, "client"));
		return status;
	}

	static Status exhausted(Metadata trailers, String client, String method) {
		Status status = Status.DEADLINE_EXCEEDED.withDescription("not sent: nothing is left of the inherited budget");
		StatusDetails.put(trailers, status, Reason.BUDGET_EXHAUSTED,
				Map.of(METHOD, method, CLIENT, client, SIDE, "client", BUDGET_MS, "0"));
		return status;
	}

	static void exceededOnClient(Metadata trailers, Status status, String client, String method, long budgetNanos,
			long elapsedNanos) {
		Map<String, String> metadata = new LinkedHashMap<>();
		metadata.put(METHOD, method);
		metadata.put(CLIENT, client);
		metadata.put(SIDE, "client");
		metadata.put(BUDGET_MS, millis(budgetNanos));
		metadata.put(ELAPSED_MS, millis(elapsedNanos));
		StatusDetails.put(trailers, status, Reason.DEADLINE_EXCEEDED, metadata);
	}

	private static String millis(long nanos) {
		return Long.toString((Math.max(0, nanos) + 500_000) / 1_000_000);
	}

}
