package io.github.grpcresilience.policy;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The configuration has mistakes; carries all of them.
 */
public final class InvalidPolicyException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final transient List<PolicyFault> faults;

	/**
	 * Creates the exception.
	 * @param faults every mistake that was found; not empty
	 */
	public InvalidPolicyException(List<PolicyFault> faults) {
		super(faults.stream()
			.map((fault) -> fault.property() + " = " + fault.value() + " (" + fault.location() + "): " + fault.rule()
					+ " - " + fault.remedy())
			.collect(Collectors.joining("; ", faults.size() + " invalid setting(s): ", "")));
		this.faults = List.copyOf(faults);
	}

	/**
	 * Every mistake that was found.
	 * @return the mistakes, in the order in which they were found
	 */
	public List<PolicyFault> faults() {
		return this.faults;
	}

}
