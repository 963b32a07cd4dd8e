package io.github.grpcresilience.benchmarks.floor;

import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

/**
 * Gives calls without a deadline one, and says whose time was up.
 */
final class FloorClientInterceptor implements ClientInterceptor {

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
			CallOptions options, Channel next) {
		CallOptions limited = (options.getDeadline() != null) ? options
				: options.withDeadlineAfter(2, TimeUnit.SECONDS);
		return new SimpleForwardingClientCall<>(next.newCall(method, limited)) {

			@Override
			public void start(Listener<RespT> listener, Metadata headers) {
				super.start(new Explaining<>(listener, method.getFullMethodName()), headers);
			}

		};
	}

	private static final class Explaining<RespT> extends SimpleForwardingClientCallListener<RespT> {

		private final String method;

		Explaining(ClientCall.Listener<RespT> listener, String method) {
			super(listener);
			this.method = method;
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			if (status.getCode() == Status.Code.DEADLINE_EXCEEDED && !Details.isIn(trailers)) {
				Details.put(trailers, status, this.method);
			}
			super.onClose(status, trailers);
		}

	}

}
