package io.github.grpcresilience;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/**
 * Two interceptors as one.
 *
 * @param outer called first
 * @param inner called by the outer one
 */
record Nested(ServerInterceptor outer, ServerInterceptor inner) implements ServerInterceptor {

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		return this.outer.interceptCall(call, headers, new Inside<>(this.inner, next));
	}

	private record Inside<ReqT, RespT>(ServerInterceptor interceptor,
			ServerCallHandler<ReqT, RespT> next) implements ServerCallHandler<ReqT, RespT> {

		@Override
		public ServerCall.Listener<ReqT> startCall(ServerCall<ReqT, RespT> call, Metadata headers) {
			return this.interceptor.interceptCall(call, headers, this.next);
		}

	}

}
