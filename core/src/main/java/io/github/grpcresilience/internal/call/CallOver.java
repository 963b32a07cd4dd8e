package io.github.grpcresilience.internal.call;

import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Status;

import io.github.grpcresilience.internal.call.ServedCall.OverListener;

/**
 * Finds out when a call is over: its stream has ended, and its handler is in no callback.
 * A handler goes on working for a while after its caller was answered for it or has left;
 * until then the call is not over.
 *
 * <p>
 * The callbacks come one after the other on the call's executor, the end of the stream
 * comes on a transport thread. Nobody waits.
 */
final class CallOver {

	private static final int RUNNING = 1;

	private static final int ENDED = 2;

	private static final int TOLD = 4;

	private final OverListener listener;

	private final AtomicInteger bits;

	/** Written before ENDED. */
	private Status.Code code = Status.Code.UNKNOWN;

	/** Written before ENDED. */
	private long elapsedNanos;

	CallOver(OverListener listener, boolean running) {
		this.listener = listener;
		this.bits = new AtomicInteger(running ? RUNNING : 0);
	}

	/**
	 * The handler is told something, or no longer is.
	 */
	void inCallback(boolean begins) {
		tellIfOver(begins ? this.bits.updateAndGet((now) -> now | RUNNING)
				: this.bits.updateAndGet((now) -> now & ~RUNNING));
	}

	/**
	 * The stream ended. May be said more than once, with the same values.
	 */
	void streamEnded(Status.Code code, long elapsedNanos) {
		this.code = code;
		this.elapsedNanos = elapsedNanos;
		tellIfOver(this.bits.updateAndGet((now) -> now | ENDED));
	}

	private void tellIfOver(int now) {
		if ((now & (RUNNING | ENDED)) == ENDED && (this.bits.getAndUpdate((bits) -> bits | TOLD) & TOLD) == 0) {
			this.listener.over(this.code, this.elapsedNanos);
		}
	}

}
