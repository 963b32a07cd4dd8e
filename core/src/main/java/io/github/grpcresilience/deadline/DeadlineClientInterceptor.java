package io.github.grpcresilience.deadline;

import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

import io.github.grpcresilience.method.AttemptGate;
import io.github.grpcresilience.method.KnownMethod;
import io.github.grpcresilience.method.KnownMethods;
import io.github.grpcresilience.status.Reason;

/**
 * Gives each call of one client its deadline: what it asks for or the default, shortened
 * to the max and to what is left of the call that is being served, less the reserve.
 */
final class DeadlineClientInterceptor implements ClientInterceptor {

	private final KnownMethods methods;

	private final String client;

	private final boolean enforced;

	private final Deadline.Ticker ticker;

	private final Executor refusals;

	private final ClientInterceptor inner;

	DeadlineClientInterceptor(KnownMethods methods, String client, boolean enforced, Deadline.Ticker ticker,
			Executor refusals, ClientInterceptor inner) {
		this.methods = methods;
		this.client = client;
		this.enforced = enforced;
		this.ticker = ticker;
		this.refusals = refusals;
		this.inner = inner;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel next) {
		KnownMethod method = this.methods.of(descriptor);
		if (method.policy().exempt()) {
			return next.newCall(descriptor, options);
		}
		long now = this.ticker.nanoTime();
		Context context = Context.current();
		ClientBudget budget = ClientBudget.of(method.policy().deadline(), options, context);
		if (budget.isUnlimited() && budget.refusal() == null) {
			method.runsWithoutDeadline();
		}
		if (budget.refusal() != null) {
			method.decided(budget.refusal(), this.enforced);
			if (this.enforced) {
				return refuse(budget.refusal(), method, options, context);
			}
		}
		CallOptions limited = (this.enforced && budget.shortens())
				? options.withDeadline(Deadline.after(budget.nanos(), TimeUnit.NANOSECONDS, this.ticker)) : options;
		if (method.gate() != null && (this.enforced ? budget.inherited() : isInherited(options, context))) {
			limited = limited.withOption(AttemptGate.DEADLINE_INHERITED, true);
		}
		return new DeadlineClientCall<>(this.inner.interceptCall(descriptor, limited, next), method, this.client,
				budget, this.enforced, this.ticker, now, context);
	}

	/**
	 * Whether the deadline of a call that is left as it is comes from its Context.
	 */
	private static boolean isInherited(CallOptions options, Context context) {
		Deadline own = options.getDeadline();
		Deadline inherited = context.getDeadline();
		return inherited != null && (own == null || inherited.isBefore(own));
	}

	private <ReqT, RespT> ClientCall<ReqT, RespT> refuse(Reason reason, KnownMethod method, CallOptions options,
			Context context) {
		Metadata trailers = new Metadata();
		Status status = (reason == Reason.DEADLINE_REQUIRED)
				? DeadlineDetails.requiredOnClient(trailers, this.client, method.name())
				: DeadlineDetails.exhausted(trailers, this.client, method.name());
		Executor executor = (options.getExecutor() != null) ? options.getExecutor() : this.refusals;
		return new RefusedClientCall<>(method, status, trailers, context.fixedContextExecutor(executor));
	}

}
