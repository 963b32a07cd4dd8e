package io.github.grpcresilience.internal.attempt;

import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.policy.AttemptPolicy;
import io.github.grpcresilience.internal.policy.AttemptPolicy.Hedge;
import io.github.grpcresilience.internal.policy.AttemptPolicy.Retry;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * What the calls of one method share. Safe for concurrent use.
 */
final class MethodAttempts {

	private final CalledMethod method;

	private final ClientAttempts client;

	private final AttemptRules rules;

	private final long attemptTimeoutNanos;

	/** Absent where no percentile is asked for. */
	private final @Nullable Latencies latencies;

	MethodAttempts(CalledMethod method, ClientAttempts client) {
		this.method = method;
		this.client = client;
		this.rules = AttemptRules.of(method.attempts());
		this.attemptTimeoutNanos = (method.attempts() instanceof Retry retry) ? retry.attemptTimeoutNanos()
				: AttemptPolicy.NO_TIMEOUT;
		this.latencies = (method.attempts() instanceof Hedge hedge && hedge.delay().isLive())
				? client.latencies().create(hedge.delay().percentile()) : null;
	}

	CalledMethod method() {
		return this.method;
	}

	ClientAttempts client() {
		return this.client;
	}

	AttemptRules rules() {
		return this.rules;
	}

	/**
	 * Whether the channel makes attempts itself.
	 * @param watch of an attempt that has failed, or takes long
	 */
	boolean isRepeatedByChannel(SentWatch watch) {
		return watch.isRepeated() || this.method.isAttemptedByChannel();
	}

	/**
	 * Whether a call must be able to be made anew, even if it may be attempted once only.
	 */
	boolean isTimed() {
		return this.attemptTimeoutNanos != AttemptPolicy.NO_TIMEOUT;
	}

	/**
	 * Longest time that one attempt may take.
	 * @return nanoseconds; {@link AttemptPolicy#NO_TIMEOUT} for no bound of its own
	 */
	long attemptTimeoutNanos() {
		return this.attemptTimeoutNanos;
	}

	/**
	 * Has an attempt end with its own timeout.
	 */
	CallOptions shortened(CallOptions options) {
		CallOptions own = options
			.withDeadline(Deadline.after(this.attemptTimeoutNanos, TimeUnit.NANOSECONDS, this.client.ticker()));
		return options.getOption(AttemptGate.DEADLINE_INHERITED) ? own.withOption(AttemptGate.DEADLINE_INHERITED, false)
				: own;
	}

	/**
	 * Says that it was an attempt's timeout, and not the deadline of the call.
	 */
	Metadata explained(Status status, Metadata trailers) {
		Metadata explained = new Metadata();
		explained.merge(trailers);
		String client = this.method.client();
		StatusDetails.put(explained, status, Reason.DEADLINE_EXCEEDED,
				Map.of("method", this.method.name(), "client", (client != null) ? client : "", "side", "client",
						"attempt_timeout_ms", Long.toString(TimeUnit.NANOSECONDS.toMillis(this.attemptTimeoutNanos))));
		return explained;
	}

	/**
	 * Whether an attempt would be refused before it is sent: beside one that is in flight
	 * it is not worth a part of the budget.
	 */
	boolean isRefused() {
		AttemptGate gate = this.method.gate();
		return gate != null && gate.refusesNow();
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
	 * A call is started.
	 * @return when, for {@link #answered}; zero where nobody asks
	 */
	long started() {
		return (this.latencies != null) ? this.client.ticker().nanoTime() : 0;
	}

	/**
	 * A call was answered.
	 * @param startedNanos when it was started
	 */
	void answered(long startedNanos) {
		Latencies known = this.latencies;
		if (known != null) {
			known.record(this.client.ticker().nanoTime() - startedNanos);
		}
	}

}
