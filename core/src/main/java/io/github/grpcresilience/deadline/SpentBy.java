package io.github.grpcresilience.deadline;

import java.util.Map;

import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.status.StatusDetails;

/**
 * The hop further down that spent a call's budget. Immutable. Texts come from a peer, so
 * they are cut to a length that cannot harm the answer.
 *
 * @param service application that spent it, or the name of the client whose call never
 * came back
 * @param method full name of the method there
 * @param budgetMs milliseconds that it had been given
 */
record SpentBy(String service, String method, String budgetMs) {

	private static final int MAX_LENGTH = 200;

	SpentBy {
		service = cut(service);
		method = cut(method);
		budgetMs = cut(budgetMs);
	}

	/**
	 * The hop that ended a downstream call, as told by the trailers that it ended with.
	 * @return the deepest hop known; {@code null} if the trailers name none
	 */
	static @Nullable SpentBy find(@Nullable Metadata trailers) {
		ErrorInfo info = StatusDetails.find(trailers, Reason.DEADLINE_EXCEEDED);
		if (info == null) {
			return null;
		}
		Map<String, String> metadata = info.getMetadataMap();
		if (metadata.containsKey(DeadlineDetails.SPENT_BY_SERVICE)) {
			return new SpentBy(metadata.getOrDefault(DeadlineDetails.SPENT_BY_SERVICE, ""),
					metadata.getOrDefault(DeadlineDetails.SPENT_BY_METHOD, ""),
					metadata.getOrDefault(DeadlineDetails.SPENT_BY_BUDGET_MS, ""));
		}
		if (!metadata.containsKey(DeadlineDetails.METHOD)) {
			// Work of this hop itself, such as a statement, and no call to another one.
			return null;
		}
		String client = metadata.getOrDefault(DeadlineDetails.CLIENT, "");
		return new SpentBy(metadata.getOrDefault(DeadlineDetails.SERVICE, client),
				metadata.getOrDefault(DeadlineDetails.METHOD, ""),
				metadata.getOrDefault(DeadlineDetails.BUDGET_MS, ""));
	}

	private static String cut(String text) {
		return (text.length() <= MAX_LENGTH) ? text : text.substring(0, MAX_LENGTH);
	}

}
