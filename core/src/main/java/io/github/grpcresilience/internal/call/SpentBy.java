package io.github.grpcresilience.internal.call;

import java.util.Map;

import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * The hop further down that spent a call's budget. Immutable. Texts come from a peer, so
 * they are cut to a length that cannot harm the answer.
 *
 * @param service application that spent it, or the name of the client whose call never
 * came back
 * @param method full name of the method there
 * @param budgetMs milliseconds that it had been given
 */
public record SpentBy(String service, String method, String budgetMs) {

	private static final String SERVICE = "spent_by_service";

	private static final String METHOD = "spent_by_method";

	private static final String BUDGET_MS = "spent_by_budget_ms";

	private static final int MAX_LENGTH = 200;

	/**
	 * Cuts the texts.
	 */
	public SpentBy {
		service = cut(service);
		method = cut(method);
		budgetMs = cut(budgetMs);
	}

	/**
	 * The hop that ended a downstream call, as told by the trailers that it ended with.
	 * @param trailers the trailers; {@code null} for none
	 * @return the deepest hop known; {@code null} if the trailers name none
	 */
	public static @Nullable SpentBy find(@Nullable Metadata trailers) {
		ErrorInfo info = StatusDetails.find(trailers, Reason.DEADLINE_EXCEEDED);
		if (info == null) {
			return null;
		}
		Map<String, String> metadata = info.getMetadataMap();
		if (metadata.containsKey(SERVICE)) {
			return new SpentBy(metadata.getOrDefault(SERVICE, ""), metadata.getOrDefault(METHOD, ""),
					metadata.getOrDefault(BUDGET_MS, ""));
		}
		if (!metadata.containsKey("method")) {
			// Work of this hop itself, such as a statement, and no call to another one.
			return null;
		}
		String client = metadata.getOrDefault("client", "");
		return new SpentBy(metadata.getOrDefault("service", client), metadata.getOrDefault("method", ""),
				metadata.getOrDefault("budget_ms", ""));
	}

	/**
	 * Tells callers of the hop.
	 * @param metadata metadata of an {@code ErrorInfo}, to add to
	 */
	public void addTo(Map<String, String> metadata) {
		metadata.put(SERVICE, this.service);
		metadata.put(METHOD, this.method);
		metadata.put(BUDGET_MS, this.budgetMs);
	}

	private static String cut(String text) {
		return (text.length() <= MAX_LENGTH) ? text : text.substring(0, MAX_LENGTH);
	}

}
