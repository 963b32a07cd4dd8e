package io.github.grpcresilience.internal.admission;

import java.util.List;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.status.Reason;

/**
 * What calls of one method have to pass. Safe for concurrent use.
 */
final class MethodAdmission {

	/** Lets every call in. */
	static final MethodAdmission OPEN = new MethodAdmission(new Limits(null, null, null), List.of());

	private final Limits own;

	private final Gate[] gates;

	private final boolean countsCalls;

	MethodAdmission(Limits own, List<Gate> gates) {
		this.own = own;
		this.gates = gates.toArray(Gate[]::new);
		this.countsCalls = gates.stream().anyMatch((gate) -> gate.reason() == Reason.CONCURRENCY_LIMIT);
	}

	/**
	 * Lets a call in through all gates, or through none.
	 * @return {@code null} if it is in
	 */
	@Nullable Refusal enter() {
		for (int i = 0; i < this.gates.length; i++) {
			long waitNanos = this.gates[i].enter();
			if (waitNanos != Gate.OPEN) {
				for (int passed = i - 1; passed >= 0; passed--) {
					this.gates[passed].undo();
				}
				return new Refusal(this.gates[i], waitNanos);
			}
		}
		return null;
	}

	/**
	 * Whether the end of a call matters.
	 */
	boolean countsCalls() {
		return this.countsCalls;
	}

	/**
	 * A call that was let in is over.
	 */
	void leave(Outcome outcome, long elapsedNanos) {
		for (Gate gate : this.gates) {
			gate.leave(outcome, elapsedNanos);
		}
	}

	@Nullable AdmissionUsage usage() {
		return this.own.usage();
	}

	/**
	 * Why a call is not let in.
	 *
	 * @param gate the gate that is closed
	 * @param waitNanos after how many nanoseconds trying again makes sense
	 */
	record Refusal(Gate gate, long waitNanos) {
	}

}
