package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.MethodDescriptor;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.CalledMethods;
import io.github.grpcresilience.internal.policy.AttemptPolicy;

/**
 * Gives the calls of one client further attempts, where their policy allows any. Goes
 * inside of what gives calls their deadline.
 */
final class AttemptClientInterceptor implements ClientInterceptor {

	private final CalledMethods methods;

	private final ClientAttempts client;

	private final ConcurrentMap<CalledMethod, MethodAttempts> attempted = new ConcurrentHashMap<>();

	AttemptClientInterceptor(CalledMethods methods, ClientAttempts client) {
		this.methods = methods;
		this.client = client;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel next) {
		CalledMethod method = this.methods.of(descriptor);
		if (method.attempts() == AttemptPolicy.ONCE || method.policy().exempt()) {
			return this.client.inner().interceptCall(descriptor, options, next);
		}
		if (method.isAttemptedByChannel()) {
			SentWatch watch = new SentWatch(of(method), null);
			return new ChannelAttemptedCall<>(
					this.client.inner().interceptCall(descriptor, options.withStreamTracerFactory(watch), next),
					of(method), watch);
		}
		Context context = Context.current();
		return new AttemptedCall<>(of(method), descriptor, options, next, context, isChained(context));
	}

	/**
	 * Whether whoever makes a call has itself been asked again.
	 */
	static boolean isChained(Context context) {
		ServedCall served = ServedCall.KEY.get(context);
		CallScope scope = CallScope.current();
		return (served != null && served.record().isRepeated()) || (scope != null && scope.call().isRepeated());
	}

	private MethodAttempts of(CalledMethod method) {
		MethodAttempts known = this.attempted.get(method);
		return (known != null) ? known
				: this.attempted.computeIfAbsent(method, (key) -> new MethodAttempts(key, this.client));
	}

}
