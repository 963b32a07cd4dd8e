package io.github.grpcresilience.autoconfigure.edge.reactive;

import java.util.function.Function;

import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * Makes the threads that bring something for a request know the request, whatever Reactor
 * propagates: the handler may run on them.
 *
 * @param actual who is brought it
 * @param scope the request
 */
record ScopedSubscriber<T>(CoreSubscriber<? super T> actual, CallScope scope) implements CoreSubscriber<T> {

	/**
	 * What is brought by such threads.
	 */
	static <T> Function<Publisher<T>, Publisher<T>> in(CallScope scope) {
		return Operators.<T, T>lift((source, actual) -> new ScopedSubscriber<>(actual, scope))::apply;
	}

	@Override
	public Context currentContext() {
		return this.actual.currentContext();
	}

	@Override
	public void onSubscribe(Subscription subscription) {
		this.actual.onSubscribe(subscription);
	}

	@Override
	public void onNext(T value) {
		this.scope.run(() -> this.actual.onNext(value));
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
