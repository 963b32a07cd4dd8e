package io.github.grpcresilience.boot4;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import org.springframework.core.Ordered;

/**
 * The policy at its place.
 */
record OrderedCallPolicy(ServerInterceptor delegate) implements ServerInterceptor, Ordered {

	@Override
	public int getOrder() {
		return Boot4ServerAutoConfiguration.POLICY_ORDER;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		return this.delegate.interceptCall(call, headers, next);
	}

}
