package io.github.grpcresilience.internal.attempt;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;

/**
 * The time after which the attempts in flight have taken long, and another one is made
 * beside them: from when the last one was sent. Immutable but for its timeout.
 */
final class NextHedge extends Alarm {

	private final AttemptedCall<?, ?> call;

	private final HedgeRules rules;

	/** Least time since the attempt before was sent. */
	private final long sentNanos;

	NextHedge(AttemptedCall<?, ?> call, HedgeRules rules, long sentNanos) {
		this.call = call;
		this.rules = rules;
		this.sentNanos = sentNanos;
	}

	@Override
	ClientAttempts client() {
		return this.call.method().client();
	}

	@Override
	void ring() {
		SentWatch before = before();
		if (before == null) {
			return;
		}
		if (!before.isSent()) {
			before.whenSent(() -> setAgain(this.sentNanos));
			return;
		}
		long rest = before.restNanos(this.sentNanos);
		if (rest > SentWatch.SOON_NANOS) {
			setAgain(rest);
			return;
		}
		try {
			// What waits for the executor of the call may be the answer.
			this.call.delivery().accompany(Runnable::run);
		}
		finally {
			hedge(before);
		}
	}

	/**
	 * Of the attempt that another one may be made beside.
	 * @return {@code null} if there will be none
	 */
	private @Nullable SentWatch before() {
		synchronized (this.call) {
			Attempt<?, ?> newest = this.call.race().newestInFlight();
			return (newest != null && this.call.race().isAwaited(this)) ? newest.watch() : null;
		}
	}

	private void setAgain(long nanos) {
		synchronized (this.call) {
			if (this.call.race().isAwaited(this)) {
				set(nanos);
			}
		}
	}

	private void hedge(SentWatch before) {
		boolean useless = this.call.method().isRefused() || this.call.context().isCancelled();
		AttemptEnd end;
		int index = 0;
		synchronized (this.call) {
			if (!this.call.race().rings(this) || useless || !this.call.mayHedge() || this.call.remainingNanos() <= 0) {
				return;
			}
			end = this.rules.whenSlow(this.call.method().isRepeatedByChannel(before), client().budget()::tryTake)
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
			new FurtherAttempt<>(this.call, index, Patience.NONE).begin();
		}
	}

}
