package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Inherited;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.CalledMethods;

/**
 * Counts the calls of one client, and what would have become of them, and leaves them as
 * they are.
 */
final class ObservedClientInterceptor implements ClientInterceptor {

	private final CalledMethods methods;

	private final Deadline.Ticker ticker;

	private final ClientInterceptor inner;

	ObservedClientInterceptor(CalledMethods methods, Deadline.Ticker ticker, ClientInterceptor inner) {
		this.methods = methods;
		this.ticker = ticker;
		this.inner = inner;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel next) {
		CalledMethod method = this.methods.of(descriptor);
		if (method.policy().exempt()) {
			return next.newCall(descriptor, options);
		}
		CallScope scope = CallScope.current();
		Inherited inherited = Inherited.of(scope, Context.current());
		ClientBudget budget = ClientBudget.of(method.policy().deadline(), options, inherited);
		if (budget.refusal() != null) {
			method.decided(budget.refusal(), false);
		}
		else if (budget.isUnlimited()) {
			method.runsWithoutDeadline();
		}
		Callers.note(method, scope, inherited);
		CallOptions told = (method.gate() != null && isInherited(options, inherited))
				? options.withOption(AttemptGate.DEADLINE_INHERITED, true) : options;
		return new ObservedClientCall<>(this.inner.interceptCall(descriptor, told, next), method, this.ticker,
				(budget.refusal() == null) ? budget.nanos() : ClientBudget.UNLIMITED);
	}

	/**
	 * Whether the deadline of a call that is left as it is comes from what it is made
	 * for.
	 */
	private static boolean isInherited(CallOptions options, Inherited inherited) {
		Deadline own = options.getDeadline();
		return !inherited.isNothing() && (own == null || inherited.nanos() < own.timeRemaining(TimeUnit.NANOSECONDS));
	}

}
