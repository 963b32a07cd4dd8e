package io.github.grpcresilience.internal.gate;

import io.grpc.Status;

import io.github.grpcresilience.internal.method.AttemptGate;

/**
 * Two gates, one behind the other.
 *
 * @param first asked first
 * @param second asked if the first one gives leave
 */
record BothGates(AttemptGate first, AttemptGate second) implements AttemptGate {

	@Override
	public boolean refusesNow() {
		return this.first.refusesNow() || this.second.refusesNow();
	}

	@Override
	public Answer ask() {
		Answer answer = this.first.ask();
		if (!(answer instanceof Permit permit)) {
			return answer;
		}
		boolean given = false;
		try {
			Answer next = this.second.ask();
			given = next instanceof Permit;
			return (next instanceof Permit other) ? new BothPermits(permit, other) : next;
		}
		finally {
			if (!given) {
				new HeldPermit(permit).giveBack();
			}
		}
	}

	/**
	 * Leave of both gates; each one is told, even if the other one fails at it.
	 *
	 * @param first leave of the first one
	 * @param second leave of the second one
	 */
	private record BothPermits(Permit first, Permit second) implements Permit {

		@Override
		public void succeeded() {
			try {
				this.first.succeeded();
			}
			finally {
				this.second.succeeded();
			}
		}

		@Override
		public void failed(Status status) {
			try {
				this.first.failed(status);
			}
			finally {
				this.second.failed(status);
			}
		}

		@Override
		public void unknown() {
			try {
				this.first.unknown();
			}
			finally {
				this.second.unknown();
			}
		}

		@Override
		public void ended() {
			try {
				this.first.ended();
			}
			finally {
				this.second.ended();
			}
		}

	}

}
