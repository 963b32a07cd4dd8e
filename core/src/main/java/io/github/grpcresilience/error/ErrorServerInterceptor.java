package io.github.grpcresilience.error;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.ServedCall;
import io.github.grpcresilience.method.KnownMethod;

/**
 * Answers what handlers and the interceptors inside of this one throw.
 */
final class ErrorServerInterceptor implements ServerInterceptor {

	private final ErrorTranslator translator;

	private final ErrorAdvice advice;

	private final @Nullable RequestCheck check;

	ErrorServerInterceptor(ErrorTranslator translator, ErrorAdvice advice, @Nullable RequestCheck check) {
		this.translator = translator;
		this.advice = advice;
		this.check = check;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		ServedCall served = ServedCall.KEY.get(Context.current());
		KnownMethod method = (served != null) ? served.method() : null;
		if (served == null || method == null) {
			return next.startCall(call, headers);
		}
		ErrorServerCall<ReqT, RespT> answered = new ErrorServerCall<>(call, served, method, headers, this.translator,
				this.advice);
		try {
			return new ErrorServerListener<>(next.startCall(answered, headers), answered, this.check);
		}
		catch (Throwable ex) {
			answered.failed(ex);
			return new ServerCall.Listener<>() {
			};
		}
	}

}
