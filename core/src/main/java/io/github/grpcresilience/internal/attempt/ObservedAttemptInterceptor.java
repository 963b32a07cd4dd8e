package io.github.grpcresilience.internal.attempt;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;

import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.CalledMethods;
import io.github.grpcresilience.internal.policy.AttemptPolicy;

/**
 * Counts the attempts of one client that would be made.
 */
final class ObservedAttemptInterceptor implements ClientInterceptor {

	private final CalledMethods methods;

	private final ClientInterceptor inner;

	ObservedAttemptInterceptor(CalledMethods methods, ClientInterceptor inner) {
		this.methods = methods;
		this.inner = inner;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel next) {
		CalledMethod method = this.methods.of(descriptor);
		ClientCall<ReqT, RespT> call = this.inner.interceptCall(descriptor, options, next);
		return (method.attempts() == AttemptPolicy.ONCE || method.policy().exempt() || method.isAttemptedByChannel())
				? call : new ObservedCall<>(call, method);
	}

}
