package io.github.grpcresilience.internal.deadline;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.method.ServedMethods;
import io.github.grpcresilience.internal.policy.DeadlinePolicy;
import io.github.grpcresilience.status.Reason;

/**
 * Counts what {@link DeadlineServerInterceptor} would have done, and changes nothing.
 * Safe for concurrent use.
 */
public final class ObservedServerInterceptor implements ServerInterceptor {

	private final ServedMethods methods;

	/**
	 * Creates the interceptor.
	 * @param methods methods of the server
	 */
	public ObservedServerInterceptor(ServedMethods methods) {
		this.methods = methods;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		Context begun = Context.current();
		ServedCall served = ServedCall.find(begun, this.methods, call.getMethodDescriptor());
		if (served == null) {
			return next.startCall(call, headers);
		}
		ServedMethod method = served.method();
		DeadlinePolicy policy = method.policy().deadline();
		Deadline sent = begun.getDeadline();
		long sentBudget = ServerBudget.sent(sent, served.record().elapsedNanos());
		long budget = ServerBudget.of(policy, sent, sentBudget);
		served.record().hasContextDeadline(sent);
		served.record().within(sentBudget);
		served.started(budget);
		if (ServerBudget.isRejected(policy, sent)) {
			method.decided(Reason.DEADLINE_REQUIRED, false);
		}
		else if (budget == ServerBudget.UNLIMITED) {
			method.runsWithoutDeadline();
		}
		CallScope outer = served.scope().enter();
		try {
			return new ScopedServerListener<>(next.startCall(call, headers), served.scope());
		}
		finally {
			CallScope.leave(outer);
		}
	}

}
