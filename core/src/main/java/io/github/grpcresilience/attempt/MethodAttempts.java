package io.github.grpcresilience.attempt;

import io.grpc.CallOptions;

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

	MethodAttempts(KnownMethod method) {
		this.method = method;
		this.channel = new ChannelAttempts(method);
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
	 * @return {@code true} if the channel did not
	 */
	boolean isSole() {
		if (this.method.isAttemptedByChannel()) {
			return false;
		}
		if (!this.sole) {
			this.sole = true;
		}
		return true;
	}

	/**
	 * How long an attempt may take before another one is made beside it.
	 * @return nanoseconds
	 */
	long hedgeDelayNanos(Hedge hedge) {
		return hedge.delay().nanos();
	}

	/**
	 * A call was answered.
	 * @param nanos how long it took
	 */
	void answered(long nanos) {
	}

}
