package io.github.grpcresilience.internal.admission;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

import io.github.grpcresilience.internal.admission.MethodAdmission.Refusal;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.method.ServedMethod;

/**
 * Lets calls in, or refuses them, when they are taken from the executor's queue to start:
 * before a request is read, and before the handler's work is queued. It stands inside of
 * deadlines, so a call that has expired while it waited takes nothing from anybody, nor
 * does one whose caller left meanwhile.
 */
final class AdmissionInterceptor implements ServerInterceptor {

	private final ServerAdmission admission;

	private final boolean enforced;

	private final AdmissionAnswer answer;

	AdmissionInterceptor(ServerAdmission admission, boolean enforced, AdmissionAnswer answer) {
		this.admission = admission;
		this.enforced = enforced;
		this.answer = answer;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		Context context = Context.current();
		ServedCall served = ServedCall.KEY.get(context);
		ServedMethod method = (served != null) ? served.record().method() : null;
		MethodAdmission limits = (method != null) ? this.admission.find(method) : null;
		if (served == null || method == null || limits == null) {
			return next.startCall(call, headers);
		}
		if (served.hasEnded()) {
			// Its caller left while it was queued.
			return this.enforced ? ignore() : next.startCall(call, headers);
		}
		Refusal refusal = limits.enter();
		if (refusal == null) {
			if (limits.countsCalls()) {
				served.whenOver(new Permit(limits, context.getDeadline()));
			}
			return next.startCall(call, headers);
		}
		if (this.enforced) {
			Metadata trailers = new Metadata();
			Status status = this.answer.refused(trailers, method, refusal);
			method.decided(refusal.gate().reason(), true);
			call.close(status, trailers);
			return ignore();
		}
		method.decided(refusal.gate().reason(), false);
		return next.startCall(call, headers);
	}

	/**
	 * Stands in for the handler of a call that is not let in.
	 */
	private static <ReqT> ServerCall.Listener<ReqT> ignore() {
		return new ServerCall.Listener<>() {
		};
	}

}
