package io.github.grpcresilience.internal.deadline;

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
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.CallEndedException;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Inherited;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.CalledMethods;
import io.github.grpcresilience.status.Reason;

/**
 * Gives each call of one client its deadline: what it asks for or the default, shortened
 * to the max and to what is left of the call that is being served, less the reserve.
 */
final class DeadlineClientInterceptor implements ClientInterceptor {

	private final CalledMethods methods;

	private final String client;

	private final Deadline.Ticker ticker;

	private final Executor refusals;

	private final ClientInterceptor inner;

	DeadlineClientInterceptor(CalledMethods methods, String client, Deadline.Ticker ticker, Executor refusals,
			ClientInterceptor inner) {
		this.methods = methods;
		this.client = client;
		this.ticker = ticker;
		this.refusals = refusals;
		this.inner = inner;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel next) {
		CalledMethod method = this.methods.of(descriptor);
		if (method.policy().exempt()) {
			return next.newCall(descriptor, options);
		}
		Context context = Context.current();
		ServedCall owner = ServedCall.KEY.get(context);
		if (owner == null || !owner.record().isAnswered()) {
			return newCall(method, descriptor, options, next, context);
		}
		// gRPC cancels the Context of an answered call, and its deadline stays.
		Context after = context.fork();
		Context previous = after.attach();
		try {
			return newCall(method, descriptor, options, next, context);
		}
		finally {
			after.detach(previous);
		}
	}

	/**
	 * Makes a call.
	 * @param context Context of whoever makes it
	 */
	private <ReqT, RespT> ClientCall<ReqT, RespT> newCall(CalledMethod method, MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel next, Context context) {
		CallScope scope = CallScope.current();
		CallRecord owner = owner(scope, context);
		Inherited inherited = Inherited.of(scope, context);
		ClientBudget budget = ClientBudget.of(method.policy().deadline(), options, inherited);
		if (budget.isUnlimited() && budget.refusal() == null) {
			method.runsWithoutDeadline();
		}
		if (budget.refusal() != null) {
			method.decided(budget.refusal(), true);
			return refuse(budget.refusal(), method, options, context, owner);
		}
		Callers.note(method, scope, inherited);
		CallOptions limited = budget.shortens()
				? options.withDeadline(Deadline.after(budget.nanos(), TimeUnit.NANOSECONDS, this.ticker)) : options;
		if (method.gate() != null && budget.inherited()) {
			limited = limited.withOption(AttemptGate.DEADLINE_INHERITED, true);
		}
		// A deadline tells the time that has passed, and one look at the clock is saved.
		Deadline limit = limited.getDeadline();
		long now = (limit != null) ? 0 : this.ticker.nanoTime();
		return new DeadlineClientCall<>(this.inner.interceptCall(descriptor, limited, next), method, this.client,
				budget, this.ticker, limit, now, context, callToWatch(scope, context), owner, this.refusals);
	}

	/**
	 * The call that another one is made for.
	 * @return {@code null} if there is none
	 */
	private static @Nullable CallRecord owner(@Nullable CallScope scope, Context context) {
		ServedCall served = ServedCall.KEY.get(context);
		return (scope != null) ? scope.call() : (served != null) ? served.record() : null;
	}

	/**
	 * The call whose end gRPC's Context does not tell to those that are made for it.
	 * @return {@code null} if there is none
	 */
	private static @Nullable CallRecord callToWatch(@Nullable CallScope scope, Context context) {
		if (scope == null || scope.isCarried()) {
			return null;
		}
		ServedCall owner = ServedCall.KEY.get(context);
		return (owner != null && scope.isOf(owner.record())) ? null : scope.call();
	}

	private <ReqT, RespT> ClientCall<ReqT, RespT> refuse(Reason reason, CalledMethod method, CallOptions options,
			Context context, @Nullable CallRecord owner) {
		Metadata trailers = new Metadata();
		Status status = (reason == Reason.DEADLINE_REQUIRED)
				? DeadlineDetails.requiredOnClient(trailers, this.client, method.name())
				: DeadlineDetails.exhausted(trailers, this.client, method.name());
		if (reason == Reason.BUDGET_EXHAUSTED && owner != null) {
			status = status.withCause(new CallEndedException(owner, null));
		}
		Executor executor = (options.getExecutor() != null) ? options.getExecutor() : this.refusals;
		return new RefusedClientCall<>(method, status, trailers, context.fixedContextExecutor(executor));
	}

}
