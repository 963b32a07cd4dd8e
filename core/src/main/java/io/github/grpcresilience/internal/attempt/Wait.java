package io.github.grpcresilience.internal.attempt;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.call.ServedCall;

/**
 * The time between two attempts, and the failure that the call ends with if no other one
 * follows. No attempt is in flight, so the call has to listen itself to what would end
 * one: its {@link Context}, and the end of its channel.
 *
 * <p>
 * Immutable but for its timeout. Begins and ends outside of the lock of the call: the
 * Context has a lock of its own, under which it may call a listener that is added late
 * (decision 20).
 */
final class Wait<ReqT, RespT> extends Alarm implements Context.CancellationListener {

	private final AttemptedCall<ReqT, RespT> call;

	private final Failure<ReqT, RespT> failure;

	/** Of the attempt that follows. */
	private final Patience patience;

	Wait(AttemptedCall<ReqT, RespT> call, Failure<ReqT, RespT> failure, Patience patience) {
		this.call = call;
		this.failure = failure;
		this.patience = patience;
	}

	@Override
	ClientAttempts client() {
		return this.call.method().client();
	}

	void begin(long nanos) {
		ServedCall served = ServedCall.KEY.get(this.call.context());
		if (served != null) {
			served.anchor();
		}
		// Not on the thread that adds it: that would be under the lock of the Context.
		this.call.context().addListener(this, client().executor());
		if (nanos > ShutdownWatch.LOOK_NANOS) {
			client().watches().add(this.call.channel(), this.call.descriptor(), this);
		}
		boolean waits;
		synchronized (this.call) {
			waits = this.call.race().isAwaited(this);
			if (waits) {
				set(nanos);
			}
		}
		if (!waits) {
			unwatch();
		}
	}

	private void unwatch() {
		this.call.context().removeListener(this);
		client().watches().remove(this.call.channel(), this);
	}

	@Override
	void ring() {
		int index = -1;
		synchronized (this.call) {
			if (!this.call.race().rings(this)) {
				return;
			}
			if (this.call.remainingNanos() > 0) {
				index = this.call.race().reserve();
			}
			else {
				this.call.race().end();
			}
		}
		unwatch();
		if (index >= 0) {
			new FurtherAttempt<>(this.call, index, this.patience).begin();
		}
		else {
			putBack();
			this.call.method().method().attemptsEnded(AttemptEnd.DEADLINE);
			this.call.delivery().endOutside(this.failure.attempt(), this.failure.status(), this.failure.trailers());
		}
	}

	/**
	 * The attempt that follows is not made.
	 */
	private void putBack() {
		if (this.patience == Patience.NONE) {
			client().budget().putBack();
		}
	}

	@Override
	public void cancelled(Context context) {
		giveUp(Contexts.statusFromCancelled(context));
	}

	/**
	 * Ends the call for a reason that would have ended an attempt in flight, if the call
	 * still waits.
	 */
	void giveUp(Status reason) {
		boolean waited;
		synchronized (this.call) {
			waited = this.call.race().endWait() != null;
		}
		if (waited) {
			ended(reason);
		}
	}

	/**
	 * Tells the end of the call that has been waiting.
	 */
	void ended(Status reason) {
		putBack();
		unwatch();
		this.call.delivery().endOutside(null, reason, new Metadata());
	}

}
