package io.github.grpcresilience;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.MethodDescriptor;
import org.jspecify.annotations.Nullable;

/**
 * Two client interceptors as one. Safe for concurrent use.
 */
final class NestedClient implements ClientInterceptor {

	private final ClientInterceptor outer;

	private final ClientInterceptor inner;

	/** Of the channel that was used last: a client mostly has one. */
	private volatile @Nullable Inside last;

	/**
	 * Nests interceptors.
	 * @param outer called first
	 * @param inner called by the outer one
	 */
	NestedClient(ClientInterceptor outer, ClientInterceptor inner) {
		this.outer = outer;
		this.inner = inner;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
			CallOptions options, Channel next) {
		return this.outer.interceptCall(method, options, inside(next));
	}

	private Channel inside(Channel next) {
		Inside inside = this.last;
		if (inside == null || inside.next() != next) {
			inside = new Inside(next, ClientInterceptors.intercept(next, this.inner));
			this.last = inside;
		}
		return inside.channel();
	}

	/**
	 * A channel with the inner interceptor around it.
	 *
	 * @param next the channel
	 * @param channel the channel around it
	 */
	private record Inside(Channel next, Channel channel) {
	}

}
