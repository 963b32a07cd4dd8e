package io.github.grpcresilience.internal.attempt;

import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.policy.AttemptPolicy;
import io.github.grpcresilience.internal.status.PushBack;

/**
 * A call that is made once, and counted if it would have been attempted again.
 */
final class ObservedCall<ReqT, RespT> extends SimpleForwardingClientCall<ReqT, RespT> {

	private final CalledMethod method;

	private final boolean once;

	ObservedCall(ClientCall<ReqT, RespT> call, CalledMethod method) {
		super(call);
		this.method = method;
		this.once = method.attempts().maxAttempts() == 1 || AttemptClientInterceptor.isChained(Context.current());
	}

	private boolean wouldRepeat(Status status) {
		AttemptPolicy policy = this.method.attempts();
		if (policy instanceof AttemptPolicy.Retry retry) {
			return retry.retryable().contains(status.getCode());
		}
		return policy instanceof AttemptPolicy.Hedge hedge && hedge.nonFatal().contains(status.getCode());
	}

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		super.start(new SimpleForwardingClientCallListener<>(listener) {

			@Override
			public void onClose(Status status, Metadata trailers) {
				if (!ObservedCall.this.once && wouldRepeat(status) && !PushBack.isStop(trailers)) {
					ObservedCall.this.method.attemptCounts().further();
				}
				super.onClose(status, trailers);
			}

		}, headers);
	}

}
