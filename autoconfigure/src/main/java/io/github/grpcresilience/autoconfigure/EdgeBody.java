package io.github.grpcresilience.autoconfigure;

import org.reactivestreams.Subscription;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

import io.github.grpcresilience.call.CallScope;

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
		return super.getBody()
			.transform(Operators.<DataBuffer, DataBuffer>lift((source, body) -> new Scoped(body, this.scope)));
	}

	private record Scoped(CoreSubscriber<? super DataBuffer> actual,
			CallScope scope) implements CoreSubscriber<DataBuffer> {

		@Override
		public Context currentContext() {
			return this.actual.currentContext();
		}

		@Override
		public void onSubscribe(Subscription subscription) {
			this.actual.onSubscribe(subscription);
		}

		@Override
		public void onNext(DataBuffer buffer) {
			this.scope.run(() -> this.actual.onNext(buffer));
		}

		@Override
		public void onError(Throwable thrown) {
			this.scope.run(() -> this.actual.onError(thrown));
		}

		@Override
		public void onComplete() {
			this.scope.run(this.actual::onComplete);
		}

	}

}
