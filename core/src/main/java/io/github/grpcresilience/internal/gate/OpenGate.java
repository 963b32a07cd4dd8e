package io.github.grpcresilience.internal.gate;

import io.grpc.Status;

import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.CalledMethod;

/**
 * Counts what another gate refuses, and refuses nothing.
 */
record OpenGate(AttemptGate gate, CalledMethod method) implements AttemptGate {

	private static final Permit NOTHING_OWED = new Permit() {

		@Override
		public void succeeded() {
		}

		@Override
		public void failed(Status status) {
		}

		@Override
		public void unknown() {
		}

		@Override
		public void ended() {
		}

	};

	@Override
	public boolean refusesNow() {
		return false;
	}

	@Override
	public Answer ask() {
		Answer answer = this.gate.ask();
		if (!(answer instanceof Refusal refusal)) {
			return answer;
		}
		this.method.decided(refusal.reason(), false);
		return NOTHING_OWED;
	}

}
