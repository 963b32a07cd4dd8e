package io.github.grpcresilience.internal.policy;

import java.util.List;

import io.github.grpcresilience.policy.PolicyFault;

/**
 * Looks for mistakes before anything is started.
 */
@FunctionalInterface
public interface StartCheck {

	/**
	 * Finds the mistakes. Called on the thread that builds the instance, before it has
	 * any thread of its own.
	 * @param server what was configured for calls that are served
	 * @param client what was configured for calls that are made
	 * @return the mistakes; empty if there are none
	 */
	List<PolicyFault> faults(PolicyDefinition server, PolicyDefinition client);

}
