package io.github.grpcresilience.internal.attempt;

import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;

import io.github.grpcresilience.internal.method.CalledMethod;

/**
 * Notices that a channel makes further attempts itself, as a service config asks it to.
 * Transparent retries do not count: there the server has seen nothing.
 */
final class ChannelAttempts extends ClientStreamTracer.Factory {

	private static final ClientStreamTracer NONE = new ClientStreamTracer() {
	};

	private final CalledMethod method;

	ChannelAttempts(CalledMethod method) {
		this.method = method;
	}

	@Override
	public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
		if (info.getPreviousAttempts() > 0 && !info.isTransparentRetry()) {
			this.method.leaveAttemptsToChannel();
		}
		return NONE;
	}

}
