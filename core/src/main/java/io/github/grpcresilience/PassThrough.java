package io.github.grpcresilience;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/**
 * Does nothing: what stands in for an interceptor that must not change calls.
 */
final class PassThrough implements ServerInterceptor {

	static final PassThrough INSTANCE = new PassThrough();

	private PassThrough() {
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		return next.startCall(call, headers);
	}

}
