package io.github.grpcresilience.internal.attempt;

import io.grpc.ClientCall;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.internal.status.PushBack;

/**
 * A call whose attempts are left to its channel, which shows if the channel makes none
 * any more: then those of the next call are ours again (decision 36).
 */
final class ChannelAttemptedCall<ReqT, RespT> extends SimpleForwardingClientCall<ReqT, RespT> {

	private final MethodAttempts method;

	private final SentWatch watch;

	ChannelAttemptedCall(ClientCall<ReqT, RespT> call, MethodAttempts method, SentWatch watch) {
		super(call);
		this.method = method;
		this.watch = watch;
	}

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		super.start(new Watching(listener), headers);
	}

	/**
	 * Whether a channel that makes attempts would have made another one.
	 */
	private boolean isLeftAlone(Status status, Metadata trailers) {
		return this.watch.isSent() && !this.watch.isRepeated()
		// By then a channel's time is over as well.
				&& status.getCode() != Status.Code.DEADLINE_EXCEEDED
				&& this.method.rules().isRepeatable(status.getCode(), false)
				&& PushBack.nanos(trailers) == PushBack.NONE;
	}

	/** Confined to the callbacks of the call. */
	private final class Watching extends SimpleForwardingClientCallListener<RespT> {

		/** Headers have come, after which a channel makes no further attempt. */
		private boolean committed;

		Watching(Listener<RespT> listener) {
			super(listener);
		}

		@Override
		public void onHeaders(Metadata headers) {
			this.committed = true;
			super.onHeaders(headers);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			if (!status.isOk() && !this.committed && isLeftAlone(status, trailers)) {
				ChannelAttemptedCall.this.method.method().takeAttemptsBack();
			}
			super.onClose(status, trailers);
		}

	}

}
