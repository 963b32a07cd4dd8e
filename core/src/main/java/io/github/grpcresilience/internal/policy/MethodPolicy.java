package io.github.grpcresilience.internal.policy;

import java.util.Map;

/**
 * All that is asked of one method on one side. Immutable, safe for concurrent use.
 */
public sealed interface MethodPolicy permits ServedMethodPolicy, CalledMethodPolicy {

	/**
	 * Whether calls of the method pass untouched; nothing else is read then.
	 * @return {@code true} if the service is exempt
	 */
	boolean exempt();

	/**
	 * Deadlines of the method.
	 * @return the policy
	 */
	DeadlinePolicy deadline();

	/**
	 * Every value with its origin.
	 * @return settings by their names below their policy, such as {@code deadline.max}
	 */
	Map<String, Setting<?>> settings();

}
