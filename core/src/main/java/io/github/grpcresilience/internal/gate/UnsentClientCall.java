package io.github.grpcresilience.internal.gate;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

/**
 * Stands in for a call that was refused when it was started.
 */
final class UnsentClientCall<ReqT, RespT> extends ClientCall<ReqT, RespT> {

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		// Its listener has been told already.
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
