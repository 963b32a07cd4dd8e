package io.github.grpcresilience.internal.policy;

import java.util.Map;

/**
 * All that is asked of one method on one side. Immutable, safe for concurrent use.
 *
 * @param exempt whether calls of the method pass untouched; nothing else is read then
 * @param deadline deadlines of the method
 * @param interruptOnCancel whether threads that work for a call are interrupted when it
 * is cancelled; always {@code false} on the client
 * @param refusesLateCommits whether transactions are rolled back that are to be committed
 * after the end of their call; always {@code false} on the client
 * @param relayAuthErrors whether callers are told of UNAUTHENTICATED and
 * PERMISSION_DENIED; always {@code false} on the server
 * @param attempts how often calls may be attempted, if they may be made more than once;
 * always {@code ONCE} on the server
 * @param settings every value with its origin, by the name of the setting below its
 * policy, such as {@code deadline.max}
 * @param admission how many calls of the method are let in; always unbounded on the
 * client
 */
public record MethodPolicy(boolean exempt, DeadlinePolicy deadline, boolean interruptOnCancel,
		boolean refusesLateCommits, boolean relayAuthErrors, AttemptPolicy attempts, Map<String, Setting<?>> settings,
		AdmissionPolicy admission) {

	/**
	 * Copies the settings.
	 */
	public MethodPolicy {
		settings = Map.copyOf(settings);
	}

}
