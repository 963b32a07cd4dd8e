package io.github.grpcresilience.internal.policy;

import java.util.Map;

/**
 * All that is asked of a method that is served. Immutable, safe for concurrent use.
 *
 * @param exempt whether calls of the method pass untouched; nothing else is read then
 * @param deadline deadlines of the method
 * @param interruptOnCancel whether threads that work for a call are interrupted when it
 * is cancelled
 * @param refusesLateCommits whether transactions are rolled back that are to be committed
 * after the end of their call
 * @param admission how many calls of the method are let in
 * @param settings every value with its origin, by the name of the setting below its
 * policy, such as {@code deadline.max}
 */
public record ServedMethodPolicy(boolean exempt, DeadlinePolicy deadline, boolean interruptOnCancel,
		boolean refusesLateCommits, AdmissionPolicy admission,
		Map<String, Setting<?>> settings) implements MethodPolicy {

	/**
	 * Copies the settings.
	 */
	public ServedMethodPolicy {
		settings = Map.copyOf(settings);
	}

}
