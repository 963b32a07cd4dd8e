package io.github.grpcresilience.attempt;

import java.util.concurrent.Executor;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.time.Timeout;
import io.github.grpcresilience.time.Timer;

/**
 * What a call does later, of its own: the attempt after a wait, or the next hedge. The
 * call knows the one that counts; one that it does not know any more does nothing, even
 * if it has gone off.
 *
 * <p>
 * Set and cancelled under the monitor of the call; goes off on the executor that begins
 * attempts, since interceptors of the application may block.
 */
final class Alarm implements Runnable {

	private final AttemptedCall<?, ?> call;

	private final Executor executor;

	/** Guarded by the monitor of the call. */
	private @Nullable Timeout timeout;

	Alarm(AttemptedCall<?, ?> call, Executor executor) {
		this.call = call;
		this.executor = executor;
	}

	void set(Timer timer, long nanos) {
		this.timeout = timer.schedule(nanos, this);
	}

	void cancel() {
		if (this.timeout != null) {
			this.timeout.cancel();
		}
	}

	@Override
	public void run() {
		this.executor.execute(() -> this.call.ring(this));
	}

}
