package io.github.grpcresilience.deadline;

import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

import io.github.grpcresilience.call.CallScope;
import io.github.grpcresilience.method.KnownMethod;
import io.github.grpcresilience.method.KnownMethods;
import io.github.grpcresilience.policy.DeadlinePolicy;
import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.time.Timer;
import io.github.grpcresilience.time.UntimedScheduler;

/**
 * Gives each call that is served its deadline, counted from its arrival, and answers it
 * before the deadline ends.
 */
final class DeadlineServerInterceptor implements ServerInterceptor {

	private static final long UNLIMITED = DeadlinePolicy.UNLIMITED;

	private final KnownMethods methods;

	private final boolean enforced;

	private final String service;

	private final Deadline.Ticker ticker;

	private final Timer timer;

	/** What answers need; loading it twice does no harm. */
	private volatile boolean loaded;

	DeadlineServerInterceptor(KnownMethods methods, boolean enforced, String service, Deadline.Ticker ticker,
			Timer timer) {
		this.methods = methods;
		this.enforced = enforced;
		this.service = service;
		this.ticker = ticker;
		this.timer = timer;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		KnownMethod method = this.methods.of(call.getMethodDescriptor());
		ServerCallState state = ServerCallState.find(Context.current());
		if (method.policy().exempt() || state == null) {
			// Without a state the server has no arrival tracer: it is not one of ours.
			return next.startCall(call, headers);
		}
		DeadlinePolicy policy = method.policy().deadline();
		Deadline sent = Context.current().getDeadline();
		long queued = state.elapsedNanos();
		long sentBudget = (sent != null) ? plus(sent.timeRemaining(TimeUnit.NANOSECONDS), queued) : UNLIMITED;
		long budget = (sent != null) ? Math.min(sentBudget, policy.maxNanos()) : budgetOfMissing(policy);
		boolean rejected = sent == null && policy.missing() == MissingDeadline.REJECT;
		state.record().hasContextDeadline(sent);
		if (!this.enforced) {
			state.record().within(sentBudget);
			state.started(method, budget);
			if (rejected) {
				method.decided(Reason.DEADLINE_REQUIRED, false);
			}
			else if (budget == UNLIMITED) {
				method.runsWithoutDeadline();
			}
			return start(state, call, headers, next);
		}
		state.record().within(budget);
		state.started(method, UNLIMITED);
		if (rejected) {
			return reject(call, method);
		}
		if (budget == UNLIMITED) {
			method.runsWithoutDeadline();
			return start(state, call, headers, next);
		}
		DeadlineServerCall<ReqT, RespT> limited = new DeadlineServerCall<>(call, state, method, this.service, queued,
				budget, marginNanos(policy, budget, budget == sentBudget));
		return start(state, limited, budget < sentBudget, headers, next);
	}

	/**
	 * How long before the deadline a call is answered: before its caller's own, which may
	 * end earlier than its caller said.
	 */
	private static long marginNanos(DeadlinePolicy policy, long budget, boolean own) {
		long margin = policy.allowance().ofNanos(budget);
		return (own && margin > 0) ? margin + GrpcTimeout.roundedUpByNanos(budget) : margin;
	}

	private static long budgetOfMissing(DeadlinePolicy policy) {
		return (policy.missing() == MissingDeadline.DEFAULT) ? policy.defaultNanos() : UNLIMITED;
	}

	private static long plus(long remaining, long queued) {
		return (remaining < UNLIMITED - queued) ? remaining + queued : UNLIMITED;
	}

	private <ReqT, RespT> ServerCall.Listener<ReqT> reject(ServerCall<ReqT, RespT> call, KnownMethod method) {
		Metadata trailers = new Metadata();
		Status status = DeadlineDetails.requiredOnServer(trailers, this.service, method.name());
		method.decided(Reason.DEADLINE_REQUIRED, true);
		call.close(status, trailers);
		return ignore();
	}

	/**
	 * Stands in for the handler of a call that is answered.
	 */
	private static <ReqT> ServerCall.Listener<ReqT> ignore() {
		return new ServerCall.Listener<>() {
		};
	}

	/**
	 * Starts a call that no deadline of ours ends.
	 */
	private static <ReqT, RespT> ServerCall.Listener<ReqT> start(ServerCallState state, ServerCall<ReqT, RespT> call,
			Metadata headers, ServerCallHandler<ReqT, RespT> next) {
		CallScope outer = state.scope().enter();
		try {
			return new ScopedServerListener<>(next.startCall(call, headers), state.scope());
		}
		finally {
			CallScope.leave(outer);
		}
	}

	/**
	 * Once there is a call: a start has better things to do, and many serve none.
	 */
	private void loadOnce() {
		if (!this.loaded) {
			this.loaded = true;
			this.timer.schedule(0, DeadlineDetails::load);
		}
	}

	private <ReqT, RespT> ServerCall.Listener<ReqT> start(ServerCallState state, DeadlineServerCall<ReqT, RespT> call,
			boolean imposed, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
		long remaining = call.remainingNanos();
		if (call.answerIfDue()) {
			return ignore();
		}
		Context.CancellableContext context = imposed ? Context.current()
			.withDeadline(Deadline.after(remaining, TimeUnit.NANOSECONDS, this.ticker), UntimedScheduler.INSTANCE)
				: Context.current().withCancellation();
		state.runsIn(context);
		loadOnce();
		call.arm(this.timer);
		Context previous = context.attach();
		CallScope outer = state.scope().enter();
		try {
			return new DeadlineServerListener<>(next.startCall(call, headers), call, context, state.scope());
		}
		catch (Exception ex) {
			if (!call.absorbs(ex)) {
				throw ex;
			}
			return ignore();
		}
		finally {
			CallScope.leave(outer);
			context.detach(previous);
		}
	}

}
