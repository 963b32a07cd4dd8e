package io.github.grpcresilience.internal.deadline;

import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.status.Reason;

/**
 * Counts a call, and whether it took longer than it would have had.
 */
final class ObservedClientCall<ReqT, RespT> extends SimpleForwardingClientCall<ReqT, RespT> {

	private final CalledMethod method;

	private final Deadline.Ticker ticker;

	private final long budgetNanos;

	private final long askedNanos;

	ObservedClientCall(ClientCall<ReqT, RespT> call, CalledMethod method, Deadline.Ticker ticker, long budgetNanos) {
		super(call);
		this.method = method;
		this.ticker = ticker;
		this.budgetNanos = budgetNanos;
		this.askedNanos = ticker.nanoTime();
	}

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		super.start(new Counting(listener), headers);
		// Counted once grpc-java has taken the listener: from then on it is closed once.
		this.method.counts().started();
	}

	private final class Counting extends SimpleForwardingClientCallListener<RespT> {

		Counting(Listener<RespT> listener) {
			super(listener);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			ObservedClientCall<ReqT, RespT> call = ObservedClientCall.this;
			call.method.counts().ended(status.getCode());
			if (call.ticker.nanoTime() - call.askedNanos > call.budgetNanos) {
				call.method.decided(Reason.DEADLINE_EXCEEDED, false);
			}
			super.onClose(status, trailers);
		}

	}

}
