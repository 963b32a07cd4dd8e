package io.github.grpcresilience.internal.method;

import java.util.List;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.policy.CalledMethodPolicy;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * Finds what stands between the attempts of a method and the network. Safe for concurrent
 * use.
 */
public interface AttemptGates {

	/**
	 * Finds mistakes in what policies name.
	 * @param definition policies of the clients
	 * @return the mistakes; empty if {@link #find} will succeed
	 */
	List<PolicyFault> check(PolicyDefinition definition);

	/**
	 * Finds the gate of a method; called once for each.
	 * @param policy policy of the method
	 * @param client name of the client that makes the calls
	 * @param method full name of the method
	 * @return the gate; {@code null} if the policy asks for none
	 * @throws io.github.grpcresilience.policy.InvalidPolicyException if what the policy
	 * names does not exist
	 */
	@Nullable AttemptGate find(CalledMethodPolicy policy, String client, String method);

}
