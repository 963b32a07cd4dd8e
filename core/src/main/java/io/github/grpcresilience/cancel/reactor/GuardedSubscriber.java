package io.github.grpcresilience.cancel.reactor;

import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallRecord.EndListener;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Grace;
import io.github.grpcresilience.internal.cancel.CallEnd;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.cancel.context.CallScopeAccessor;

/**
 * A subscription that ends with its call: what is upstream is cancelled, and the
 * subscriber is told why. Whoever ends it first wins: the source, the subscriber, or the
 * call. Signals to the subscriber come one at a time, though the call ends on a thread of
 * its own.
 */
final class GuardedSubscriber<T> implements CoreSubscriber<T>, Subscription, EndListener {

	private enum State {

		NEW,
		/** The subscriber may be told nothing but values until it has returned. */
		SUBSCRIBING, ACTIVE,
		/** The call ended while the subscriber was subscribing. */
		DOOMED, ENDED;

		boolean isAlive() {
			return this == SUBSCRIBING || this == ACTIVE;
		}

		State abandoned() {
			return switch (this) {
				case SUBSCRIBING -> DOOMED;
				case ACTIVE -> ENDED;
				default -> this;
			};
		}

	}

	private final CoreSubscriber<? super T> actual;

	private final CallRecord call;

	private final Context upstreamContext;

	private final WorkCanceller canceller;

	private final long begunNanos;

	private final AtomicReference<State> state = new AtomicReference<>(State.NEW);

	/** Written before SUBSCRIBING. */
	private @Nullable Subscription upstream;

	/** Written while the subscriber subscribes, read by whoever ends it. */
	private volatile CallRecord.@Nullable Registration registration;

	GuardedSubscriber(CoreSubscriber<? super T> actual, CallScope scope, WorkCanceller canceller) {
		this.actual = Operators.serialize(actual);
		this.call = scope.call();
		this.upstreamContext = actual.currentContext().put(CallScopeAccessor.KEY, scope);
		this.canceller = canceller;
		this.begunNanos = canceller.nanoTime();
	}

	@Override
	public Context currentContext() {
		return this.upstreamContext;
	}

	@Override
	public void onSubscribe(Subscription subscription) {
		if (!Operators.validate(this.upstream, subscription)) {
			return;
		}
		this.upstream = subscription;
		this.state.set(State.SUBSCRIBING);
		this.registration = this.call.listen(this);
		this.actual.onSubscribe(this);
		if (!this.state.compareAndSet(State.SUBSCRIBING, State.ACTIVE)
				&& this.state.compareAndSet(State.DOOMED, State.ENDED)) {
			fail();
		}
		State now = this.state.get();
		if (now == State.ENDED) {
			forget();
		}
	}

	private void forget() {
		CallRecord.Registration own = this.registration;
		if (own != null) {
			own.close();
		}
	}

	@Override
	public void onNext(T value) {
		State now = this.state.get();
		if (now == State.DOOMED || now == State.ENDED) {
			Operators.onDiscard(value, currentContext());
			return;
		}
		this.actual.onNext(value);
	}

	@Override
	public void onError(Throwable thrown) {
		// Otherwise the subscriber has been told something else already.
		if (end()) {
			this.actual.onError(thrown);
		}
	}

	@Override
	public void onComplete() {
		if (end()) {
			this.actual.onComplete();
		}
	}

	@Override
	public void request(long count) {
		Subscription source = this.upstream;
		if (source != null) {
			source.request(count);
		}
	}

	@Override
	public void cancel() {
		if (end()) {
			cancelUpstream();
		}
	}

	private boolean end() {
		State before = this.state.getAndUpdate((now) -> now.isAlive() ? State.ENDED : now);
		if (before.isAlive()) {
			forget();
		}
		return before.isAlive();
	}

	private void cancelUpstream() {
		Subscription source = this.upstream;
		if (source != null) {
			source.cancel();
		}
	}

	/**
	 * Called on the thread that ends the call, which must not block.
	 */
	@Override
	public void ended(CallRecord call) {
		if (!this.canceller.isEnforced()) {
			this.canceller.counts().cancelled(Work.SUBSCRIPTION);
		}
		else if (call.ageAtEndNanos(this.begunNanos) >= Grace.YOUNG_NANOS) {
			this.canceller.cancel(this::abandon);
		}
		else {
			// What has just begun may be cleaning up.
			this.canceller.later(Grace.STAGE_NANOS, () -> this.canceller.cancel(this::abandon));
		}
	}

	private void abandon() {
		State before = this.state.getAndUpdate(State::abandoned);
		if (!before.isAlive()) {
			return;
		}
		this.canceller.counts().cancelled(Work.SUBSCRIPTION);
		forget();
		cancelUpstream();
		if (before == State.ACTIVE) {
			fail();
		}
	}

	private void fail() {
		this.actual
			.onError(CallEnd.failure(this.call, "subscription", new CancellationException("the call has ended")));
	}

}
