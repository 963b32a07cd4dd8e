package io.github.grpcresilience.internal.attempt;

import io.github.grpcresilience.event.AttemptEnd;

/**
 * The time after which the attempts in flight have taken long, and another one is made
 * beside them. Immutable but for its timeout.
 */
final class NextHedge extends Alarm {

	private final AttemptedCall<?, ?> call;

	private final HedgeRules rules;

	NextHedge(AttemptedCall<?, ?> call, HedgeRules rules) {
		this.call = call;
		this.rules = rules;
	}

	@Override
	ClientAttempts client() {
		return this.call.method().client();
	}

	@Override
	void ring() {
		if (!counts()) {
			return;
		}
		try {
			// What waits for the executor of the call may be the answer.
			this.call.delivery().accompany(Runnable::run);
		}
		finally {
			hedge();
		}
	}

	private boolean counts() {
		synchronized (this.call) {
			return this.call.race().isAwaited(this);
		}
	}

	private void hedge() {
		boolean useless = this.call.method().isRefused() || this.call.context().isCancelled();
		AttemptEnd end;
		int index = 0;
		synchronized (this.call) {
			if (!this.call.race().rings(this) || useless || !this.call.mayHedge() || this.call.remainingNanos() <= 0) {
				return;
			}
			end = this.rules.whenSlow(this.call.method().method().isAttemptedByChannel(), client().budget()::tryTake)
				.reason();
			if (end != null) {
				this.call.race().stop(end, true);
			}
			else {
				index = this.call.race().reserve();
			}
		}
		if (end != null) {
			this.call.method().method().attemptsEnded(end);
		}
		else {
			new FurtherAttempt<>(this.call, index).begin();
		}
	}

}
