package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.Executor;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.ReceivedFailure;

/**
 * A call that fails when it is started and is never sent. Its listener is called on the
 * call's executor, as for any other call.
 */
final class RefusedClientCall<ReqT, RespT> extends ClientCall<ReqT, RespT> {

	private final CalledMethod method;

	private final Status status;

	private final Metadata trailers;

	private final Executor executor;

	RefusedClientCall(CalledMethod method, Status status, Metadata trailers, Executor executor) {
		this.method = method;
		this.status = status;
		this.trailers = trailers;
		this.executor = executor;
	}

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		this.method.counts().started();
		this.method.counts().ended(this.status.getCode());
		Status marked = ReceivedFailure.mark(this.status, this.method, this.trailers);
		this.executor.execute(() -> listener.onClose(marked, this.trailers));
	}

	@Override
	public void request(int numMessages) {
		// Nothing will come.
	}

	@Override
	public void cancel(@Nullable String message, @Nullable Throwable cause) {
		// It has failed already.
	}

	@Override
	public void halfClose() {
		// Nothing was sent.
	}

	@Override
	public void sendMessage(ReqT message) {
		// Nothing is sent.
	}

}
