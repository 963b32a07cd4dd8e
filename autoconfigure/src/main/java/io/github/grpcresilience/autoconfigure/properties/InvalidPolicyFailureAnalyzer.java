package io.github.grpcresilience.autoconfigure.properties;

import java.util.List;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * Lists every mistake in the configuration, each with what to do about it.
 */
public final class InvalidPolicyFailureAnalyzer extends AbstractFailureAnalyzer<InvalidPolicyException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, InvalidPolicyException cause) {
		List<PolicyFault> faults = cause.faults();
		StringBuilder description = new StringBuilder(
				(faults.size() == 1) ? "One setting of gRPC Resilience is invalid:"
						: faults.size() + " settings of gRPC Resilience are invalid:");
		faults.forEach((fault) -> describe(description, fault));
		return new FailureAnalysis(description.toString(),
				(faults.size() == 1) ? "Correct the setting." : "Correct the settings; the list is complete.", cause);
	}

	private static void describe(StringBuilder description, PolicyFault fault) {
		description.append(String.format("%n%n    Property: %s%n", fault.property()));
		description.append(String.format("    Value: \"%s\"%n", fault.value()));
		description.append(String.format("    Origin: %s%n", fault.location()));
		description.append(String.format("    Reason: %s%n", fault.rule()));
		description.append(String.format("    Remedy: %s", fault.remedy()));
	}

}
