package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.DeadlineAnswer;
import io.github.grpcresilience.internal.call.Draining;
import io.github.grpcresilience.internal.call.HandlerFailures;
import io.github.grpcresilience.internal.call.PolicyCall;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.call.SpentBy;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.method.ServedMethods;
import io.github.grpcresilience.internal.policy.DeadlinePolicy;
import io.github.grpcresilience.internal.time.Timer;
import io.github.grpcresilience.internal.time.UntimedScheduler;
import io.github.grpcresilience.status.Reason;

/**
 * Gives each call that is served its deadline, counted from its arrival, and answers it
 * before the deadline ends. Goes inside of whatever measures calls. Safe for concurrent
 * use.
 */
public final class DeadlineServerInterceptor implements ServerInterceptor, DeadlineAnswer {

	private final ServedMethods methods;

	private final String service;

	private final Deadline.Ticker ticker;

	private final Timer timer;

	private final HandlerFailures failures;

	private final Draining draining;

	/** What answers need; loading it twice does no harm. */
	private volatile boolean loaded;

	/**
	 * Creates the interceptor.
	 * @param methods methods of the server
	 * @param service name of this application, for what callers are told
	 * @param ticker source of time
	 * @param timer runs the answers; on an executor that may take a call's lock
	 * @param failures what callers are told when handlers fail
	 * @param draining what becomes of calls when their server goes away
	 */
	public DeadlineServerInterceptor(ServedMethods methods, String service, Deadline.Ticker ticker, Timer timer,
			HandlerFailures failures, Draining draining) {
		this.methods = methods;
		this.service = service;
		this.ticker = ticker;
		this.timer = timer;
		this.failures = failures;
		this.draining = draining;
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
		long queued = served.record().elapsedNanos();
		long sentBudget = ServerBudget.sent(sent, queued);
		long budget = ServerBudget.of(policy, sent, sentBudget);
		served.record().hasContextDeadline(sent);
		served.record().within(budget);
		served.started(ServerBudget.UNLIMITED);
		if (ServerBudget.isRejected(policy, sent)) {
			return reject(call, method);
		}
		if (budget == ServerBudget.UNLIMITED) {
			method.runsWithoutDeadline();
			PolicyCall<ReqT, RespT> endless = handle(call, served, headers, begun.withCancellation());
			endless.answerWhenDrained(this.timer);
			return start(endless, next);
		}
		long margin = ServerBudget.marginNanos(policy, budget, budget == sentBudget);
		served.limit(budget, queued, margin);
		if (budget - queued <= margin) {
			handle(call, served, headers, null).answer();
			return ignore();
		}
		loadOnce();
		CancellableContext context = (budget < sentBudget) ? begun
			.withDeadline(Deadline.after(budget - queued, TimeUnit.NANOSECONDS, this.ticker), UntimedScheduler.INSTANCE)
				: begun.withCancellation();
		served.record().hasContextDeadline(context.getDeadline());
		PolicyCall<ReqT, RespT> handled = handle(call, served, headers, context);
		handled.answerInTime(this.timer);
		return start(handled, next);
	}

	/**
	 * Asks once the timer knows the call: whoever ends all calls either finds it there,
	 * or has said so before.
	 */
	private static <ReqT, RespT> ServerCall.Listener<ReqT> start(PolicyCall<ReqT, RespT> call,
			ServerCallHandler<ReqT, RespT> next) {
		return call.isTurnedAway() ? ignore() : call.start(next);
	}

	private <ReqT, RespT> PolicyCall<ReqT, RespT> handle(ServerCall<ReqT, RespT> call, ServedCall served,
			Metadata headers, @Nullable CancellableContext context) {
		return new PolicyCall<>(call, served, headers, this, this.failures, context);
	}

	private <ReqT> ServerCall.Listener<ReqT> reject(ServerCall<ReqT, ?> call, ServedMethod method) {
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
	 * Once there is a call: a start has better things to do, and many serve none.
	 */
	private void loadOnce() {
		if (!this.loaded) {
			this.loaded = true;
			this.timer.schedule(0, () -> {
				DeadlineDetails.load();
				this.failures.load();
			});
		}
	}

	@Override
	public Draining draining() {
		return this.draining;
	}

	@Override
	public Status exceeded(ServedCall call, @Nullable SpentBy spentBy, Metadata trailers) {
		return DeadlineDetails.exceededOnServer(trailers, this.service, call.method().name(), call.budgetNanos(),
				call.queueNanos(), call.record().elapsedNanos(), spentBy);
	}

}
