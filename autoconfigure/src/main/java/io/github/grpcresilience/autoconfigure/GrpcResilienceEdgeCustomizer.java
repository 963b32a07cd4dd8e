package io.github.grpcresilience.autoconfigure;

import java.util.Map;

/**
 * Adds to what the HTTP edge tells clients of a failed call. A bean of the application;
 * several are asked in their order. Called on the thread that answers, and safe for
 * concurrent use.
 */
@FunctionalInterface
public interface GrpcResilienceEdgeCustomizer {

	/**
	 * Changes a body before it is written.
	 * @param body members of the JSON object: texts, whole numbers, and lists and maps of
	 * them; those that are maps or lists must be replaced, not changed
	 * @param failure what the application let through; not every text in it is for
	 * clients
	 */
	void customize(Map<String, Object> body, Throwable failure);

}
