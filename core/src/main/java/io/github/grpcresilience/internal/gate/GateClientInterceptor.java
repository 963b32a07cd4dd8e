package io.github.grpcresilience.internal.gate;

import java.util.concurrent.Executor;

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
 * Lets attempts through only with leave of the gate of their method. Goes inside whatever
 * makes several attempts of one call. Safe for concurrent use.
 */
public final class GateClientInterceptor implements ClientInterceptor {

	private final CalledMethods methods;

	private final Executor refusals;

	/**
	 * Creates the interceptor of one client.
	 * @param methods methods of the client
	 * @param refusals tells callers of attempts that are not sent, where the call has no
	 * executor of its own
	 */
	public GateClientInterceptor(CalledMethods methods, Executor refusals) {
		this.methods = methods;
		this.refusals = refusals;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel next) {
		CalledMethod method = this.methods.of(descriptor);
		AttemptGate gate = method.gate();
		ClientCall<ReqT, RespT> call = next.newCall(descriptor, options);
		return (gate != null) ? new GatedClientCall<>(call, method, gate, options, Context.current(),
				(options.getExecutor() != null) ? options.getExecutor() : this.refusals) : call;
	}

}
