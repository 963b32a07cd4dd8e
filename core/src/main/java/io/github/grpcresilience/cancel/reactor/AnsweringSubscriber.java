package io.github.grpcresilience.cancel.reactor;

import java.util.concurrent.atomic.AtomicBoolean;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.util.context.Context;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.context.CallScopeAccessor;

/**
 * Sends what a publisher emits to the caller, and asks for more when the caller can take
 * it. Signals come one at a time; readiness and cancellation come on the call's executor.
 */
final class AnsweringSubscriber<T> extends BaseSubscriber<T> {

	private final StreamObserver<T> observer;

	private final @Nullable ServerCallStreamObserver<T> call;

	/** For stubs that are called on threads which do not know the call. */
	private final Context context;

	/** Whether one was asked for that has not come yet. */
	private final AtomicBoolean asked = new AtomicBoolean();

	AnsweringSubscriber(StreamObserver<T> observer) {
		this.observer = observer;
		this.call = (observer instanceof ServerCallStreamObserver<T> known) ? known : null;
		CallScope scope = CallScope.current();
		this.context = (scope != null) ? Context.of(CallScopeAccessor.KEY, scope) : Context.empty();
	}

	@Override
	public Context currentContext() {
		return this.context;
	}

	/**
	 * Called in the handler, which alone may set the observer up.
	 */
	void prepare() {
		if (this.call != null) {
			this.call.setOnReadyHandler(this::askIfReady);
			this.call.setOnCancelHandler(this::dispose);
		}
	}

	@Override
	protected void hookOnSubscribe(Subscription subscription) {
		if (this.call == null) {
			requestUnbounded();
		}
		else {
			askIfReady();
		}
	}

	private void askIfReady() {
		if (this.call != null && this.call.isReady() && this.asked.compareAndSet(false, true)) {
			request(1);
		}
	}

	@Override
	protected void hookOnNext(T response) {
		this.observer.onNext(response);
		this.asked.set(false);
		askIfReady();
	}

	@Override
	protected void hookOnError(Throwable thrown) {
		this.observer.onError(thrown);
	}

	@Override
	protected void hookOnComplete() {
		this.observer.onCompleted();
	}

}
