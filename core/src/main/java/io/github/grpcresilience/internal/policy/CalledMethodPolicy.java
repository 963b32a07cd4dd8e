package io.github.grpcresilience.internal.policy;

import java.util.Map;

/**
 * All that is asked of a method that a client calls. Immutable, safe for concurrent use.
 *
 * @param exempt whether calls of the method pass untouched; nothing else is read then
 * @param deadline deadlines of the method
 * @param relayAuthErrors whether callers are told of UNAUTHENTICATED and
 * PERMISSION_DENIED
 * @param attempts how often calls may be attempted, if they may be made more than once
 * @param settings every value with its origin, by the name of the setting below its
 * policy, such as {@code deadline.max}
 */
public record CalledMethodPolicy(boolean exempt, DeadlinePolicy deadline, boolean relayAuthErrors,
		AttemptPolicy attempts, Map<String, Setting<?>> settings) implements MethodPolicy {

	/**
	 * Copies the settings.
	 */
	public CalledMethodPolicy {
		settings = Map.copyOf(settings);
	}

}
