package io.github.grpcresilience.internal.attempt;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * An attempt that was counted, and taken out of the budget unless it stands for one that
 * no server has seen, and is to begin now. No caller waits for it to begin at whom
 * something could be thrown.
 *
 * <p>
 * Immutable. Confined to the thread that begins it: one of ours, or that of a callback.
 */
final class FurtherAttempt<ReqT, RespT> {

	private final AttemptedCall<ReqT, RespT> call;

	/** Attempts that were made before it, and count. */
	private final int index;

	private final Patience patience;

	FurtherAttempt(AttemptedCall<ReqT, RespT> call, int index, Patience patience) {
		this.call = call;
		this.index = index;
		this.patience = patience;
	}

	void begin() {
		if (this.patience != Patience.UNTIL_SENT) {
			this.call.method().method().attemptCounts().further();
		}
		Attempt<ReqT, RespT> attempt = null;
		Context previous = this.call.context().attach();
		try {
			this.call.delivery().accompany(this.call.method().client().executor());
			attempt = this.call.newAttempt(this.index, this.patience);
			if (add(attempt)) {
				this.call.feedOne(attempt);
			}
			this.call.awaitHedge();
		}
		catch (RuntimeException | Error ex) {
			broken(attempt, ex);
		}
		finally {
			this.call.context().detach(previous);
		}
	}

	/**
	 * Takes its first step before another thread can.
	 */
	private boolean add(Attempt<ReqT, RespT> attempt) {
		synchronized (this.call) {
			this.call.race().add(attempt, this.call.method().rules().overlap());
			if (this.call.isCancelled()) {
				attempt.doom();
			}
			return attempt.claim();
		}
	}

	/**
	 * An interceptor of the channel threw.
	 * @param attempt {@code null} if there is none yet
	 */
	private void broken(@Nullable Attempt<ReqT, RespT> attempt, Throwable thrown) {
		synchronized (this.call) {
			if (attempt != null && !attempt.close()) {
				return;
			}
			this.call.race().left();
		}
		if (attempt != null) {
			attempt.cancelQuietly(Status.CANCELLED.withDescription("broken").withCause(thrown));
		}
		else if (this.patience == Patience.NONE) {
			this.call.method().client().budget().putBack();
		}
		synchronized (this.call) {
			if (!this.call.race().isOpen() || this.call.race().inFlight() > 0) {
				return;
			}
			this.call.race().end();
		}
		this.call.delivery().endOutside(null, Status.fromThrowable(thrown), new Metadata());
	}

}
