package io.github.grpcresilience.autoconfigure.gate;

import java.util.List;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.autoconfigure.PresentLibraries;
import io.github.grpcresilience.internal.gate.PolicyGates;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.AttemptGates;
import io.github.grpcresilience.internal.policy.CalledMethodPolicy;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * The gates of the application's registries. What policies are built for is needed early,
 * and must not create other beans; so names are looked up once all beans are there, which
 * may create instances too.
 */
public final class ApplicationGates implements AttemptGates, SmartInitializingSingleton {

	private static final String REMEDY = "add the dependency io.github.resilience4j:resilience4j-spring-boot3 "
			+ "(resilience4j-spring-boot4 on Spring Boot 4), or define one bean of the registry's type";

	private final Supplier<PolicyGates> gates;

	private volatile @Nullable PolicyDefinition unchecked;

	public ApplicationGates(PresentLibraries libraries) {
		this.gates = SingletonSupplier.of(() -> new PolicyGates(libraries.gates(), REMEDY));
	}

	/**
	 * Puts off the check.
	 */
	@Override
	public List<PolicyFault> check(PolicyDefinition definition) {
		this.unchecked = definition;
		return List.of();
	}

	/**
	 * Checks at once, for a start that fails anyway.
	 */
	public List<PolicyFault> faults(PolicyDefinition definition) {
		return this.gates.get().check(definition);
	}

	@Override
	public void afterSingletonsInstantiated() {
		PolicyDefinition definition = this.unchecked;
		List<PolicyFault> faults = (definition != null) ? faults(definition) : List.of();
		if (!faults.isEmpty()) {
			throw new InvalidPolicyException(faults);
		}
	}

	@Override
	public @Nullable AttemptGate find(CalledMethodPolicy policy, String client, String method) {
		return this.gates.get().find(policy, client, method);
	}

}
