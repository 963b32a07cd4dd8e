package io.github.grpcresilience.boot4;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import org.springframework.core.Ordered;

/**
 * Stays inside of global interceptors where those of a channel are sorted among them.
 */
record Innermost(ClientInterceptor delegate) implements ClientInterceptor, Ordered {

	@Override
	public int getOrder() {
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
			CallOptions options, Channel next) {
		return this.delegate.interceptCall(method, options, next);
	}

}
