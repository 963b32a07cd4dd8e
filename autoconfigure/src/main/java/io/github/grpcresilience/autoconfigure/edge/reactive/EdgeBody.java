package io.github.grpcresilience.autoconfigure.edge.reactive;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import reactor.core.publisher.Flux;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * A request whose handler runs when its body has come, on the thread that brings it. That
 * thread knows the request by then, whatever Reactor propagates.
 */
final class EdgeBody extends ServerHttpRequestDecorator {

	private final CallScope scope;

	EdgeBody(ServerHttpRequest request, CallScope scope) {
		super(request);
		this.scope = scope;
	}

	@Override
	public Flux<DataBuffer> getBody() {
		return super.getBody().transform(ScopedSubscriber.in(this.scope));
	}

}
