package io.github.grpcresilience.internal.admission;

import java.util.ArrayList;
import java.util.List;

import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.internal.admission.Gate.Scope;
import io.github.grpcresilience.internal.policy.AdmissionPolicy;

/**
 * The limits of one method, or of a server as a whole.
 *
 * @param calls bounds all calls; {@code null} for no bound
 * @param unary bounds unary calls; {@code null} for no bound
 * @param rate bounds starts; {@code null} for no bound
 */
record Limits(@Nullable ConcurrencyGate calls, @Nullable AdaptiveGate unary, @Nullable RateGate rate) {

	static Limits of(AdmissionPolicy policy, Scope scope, @Nullable AdaptiveLimits adaptive, Deadline.Ticker ticker) {
		return new Limits(policy.hasMaxConcurrent() ? new ConcurrencyGate(policy.maxConcurrent(), scope) : null,
				(policy.adaptive() && adaptive != null)
						? new AdaptiveGate(adaptive.create(policy.maxConcurrent()), scope) : null,
				policy.hasMaxPerSecond() ? new RateGate(policy.maxPerSecond(), scope, ticker) : null);
	}

	/**
	 * The gates that a call of a method passes, in order. A method's own come before
	 * those of the server, and rates come last: what is taken from a bucket and then
	 * given back may have been refused to somebody meanwhile.
	 */
	static List<Gate> gates(Limits method, Limits total, boolean isUnary) {
		List<Gate> gates = new ArrayList<>();
		add(gates, method.calls);
		add(gates, isUnary ? method.unary : null);
		add(gates, total.calls);
		add(gates, isUnary ? total.unary : null);
		add(gates, method.rate);
		add(gates, total.rate);
		return gates;
	}

	private static void add(List<Gate> gates, @Nullable Gate gate) {
		if (gate != null) {
			gates.add(gate);
		}
	}

	@Nullable AdmissionUsage usage() {
		ConcurrencyGate all = this.calls;
		AdaptiveGate measured = this.unary;
		return (all == null && measured == null) ? null
				: new AdmissionUsage((all != null) ? all.use() : null, (measured != null) ? measured.use() : null);
	}

}
