package io.github.grpcresilience.internal.gate;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.MethodDescriptor;

import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.CalledMethods;

/**
 * Asks the gate of each attempt, tells it how the attempt ended, counts what it refuses,
 * and lets everything through.
 */
public final class ObservedGateInterceptor implements ClientInterceptor {

	private final CalledMethods methods;

	/**
	 * Creates the interceptor of one client.
	 * @param methods methods of the client
	 */
	public ObservedGateInterceptor(CalledMethods methods) {
		this.methods = methods;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel next) {
		CalledMethod method = this.methods.of(descriptor);
		AttemptGate gate = method.gate();
		ClientCall<ReqT, RespT> call = next.newCall(descriptor, options);
		return (gate != null) ? new GatedClientCall<>(call, method, new OpenGate(gate, method), options,
				Context.current(), Runnable::run) : call;
	}

}
