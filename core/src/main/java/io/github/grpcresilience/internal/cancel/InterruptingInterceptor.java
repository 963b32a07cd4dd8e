package io.github.grpcresilience.internal.cancel;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.method.ServedMethods;
import io.github.grpcresilience.internal.policy.ServedMethodPolicy;

/**
 * Lets the end of a call interrupt the thread of its handler, where the policy of the
 * method says so. It works right around the handler, in the scope that the interceptor
 * outside of it has entered.
 */
final class InterruptingInterceptor implements ServerInterceptor {

	private final ServerInterceptor outer;

	private final ServedMethods methods;

	private final WorkCanceller canceller;

	InterruptingInterceptor(ServerInterceptor outer, ServedMethods methods, WorkCanceller canceller) {
		this.outer = outer;
		this.methods = methods;
		this.canceller = canceller;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		ServedMethodPolicy policy = this.methods.of(call.getMethodDescriptor()).policy();
		if (policy.exempt() || !policy.interruptOnCancel()) {
			return this.outer.interceptCall(call, headers, next);
		}
		return this.outer.interceptCall(call, headers, new InterruptingHandler<>(next, this.canceller));
	}

	/**
	 * What a handler throws because it was interrupted says that the call is over, and is
	 * no error of the handler.
	 */
	private static RuntimeException explained(RuntimeException thrown, CallRecord call, Interruption interruption) {
		return interruption.isInterrupted() ? CallEnd.failure(call, "handler", thrown) : thrown;
	}

	private record InterruptingHandler<ReqT, RespT>(ServerCallHandler<ReqT, RespT> handler,
			WorkCanceller canceller) implements ServerCallHandler<ReqT, RespT> {

		@Override
		public ServerCall.Listener<ReqT> startCall(ServerCall<ReqT, RespT> call, Metadata headers) {
			ServedCall served = ServedCall.KEY.get();
			if (served == null) {
				return this.handler.startCall(call, headers);
			}
			Interruption interruption = Interruption.begin(served.record(), this.canceller, Work.TASK);
			try {
				return new InterruptingListener<>(this.handler.startCall(call, headers), served.record(),
						this.canceller);
			}
			catch (RuntimeException ex) {
				throw explained(ex, served.record(), interruption);
			}
			finally {
				interruption.close();
			}
		}

	}

	private static final class InterruptingListener<ReqT> extends ServerCall.Listener<ReqT> {

		private final ServerCall.Listener<ReqT> handler;

		private final CallRecord call;

		private final WorkCanceller canceller;

		InterruptingListener(ServerCall.Listener<ReqT> handler, CallRecord call, WorkCanceller canceller) {
			this.handler = handler;
			this.call = call;
			this.canceller = canceller;
		}

		@Override
		public void onMessage(ReqT message) {
			run(() -> this.handler.onMessage(message));
		}

		@Override
		public void onHalfClose() {
			run(this.handler::onHalfClose);
		}

		@Override
		public void onReady() {
			run(this.handler::onReady);
		}

		private void run(Runnable callback) {
			Interruption interruption = Interruption.begin(this.call, this.canceller, Work.TASK);
			try {
				callback.run();
			}
			catch (RuntimeException ex) {
				throw explained(ex, this.call, interruption);
			}
			finally {
				interruption.close();
			}
		}

		@Override
		public void onComplete() {
			this.handler.onComplete();
		}

		@Override
		public void onCancel() {
			this.handler.onCancel();
		}

	}

}
