package io.github.grpcresilience.attempt;

import io.grpc.CallOptions;
import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.method.KnownMethod;
import io.github.grpcresilience.policy.AttemptPolicy.Hedge;

/**
 * What the calls of one method share. Safe for concurrent use.
 */
final class MethodAttempts {

	private final KnownMethod method;

	private final ChannelAttempts channel;

	/** Set once an attempt has failed without the channel repeating it. */
	private volatile boolean sole;

	/** Absent where no percentile is asked for. */
	private final @Nullable Latencies latencies;

	MethodAttempts(KnownMethod method, Latencies.Factory factory) {
		this.method = method;
		this.channel = new ChannelAttempts(method);
		this.latencies = (method.attempts() instanceof Hedge hedge && hedge.delay().isLive())
				? factory.create(hedge.delay().percentile()) : null;
	}

	KnownMethod method() {
		return this.method;
	}

	/**
	 * Has the channel watched, if it is not known yet that it makes no attempts itself,
	 * or if it could have begun to.
	 * @param index attempts that were made before
	 */
	CallOptions watched(CallOptions options, int index) {
		return (this.sole && index == 0) ? options : options.withStreamTracerFactory(this.channel);
	}

	/**
	 * An attempt has failed with a code after which the channel would have made another
	 * one.
	 * @param index attempts that were made before it
	 * @return {@code true} if the channel did not
	 */
	boolean isSole(int index) {
		if (this.method.isAttemptedByChannel()) {
			return false;
		}
		if (!this.sole && index == 0) {
			this.sole = true;
		}
		return true;
	}

	/**
	 * How long an attempt may take before another one is made beside it.
	 * @return nanoseconds; {@code Long.MAX_VALUE} while that is not known
	 */
	long hedgeDelayNanos(Hedge hedge) {
		Latencies known = this.latencies;
		return (known != null) ? known.percentileNanos() : hedge.delay().nanos();
	}

	/**
	 * A call was answered.
	 * @param startedNanos when it was started
	 * @param ticker source of time
	 */
	void answered(long startedNanos, Deadline.Ticker ticker) {
		Latencies known = this.latencies;
		if (known != null) {
			known.record(ticker.nanoTime() - startedNanos);
		}
	}

}
