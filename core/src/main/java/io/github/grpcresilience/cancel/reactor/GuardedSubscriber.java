package io.github.grpcresilience.cancel.reactor;

import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.Context.CancellationListener;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

import io.github.grpcresilience.cancel.CallEnd;
import io.github.grpcresilience.cancel.WorkCanceller;
import io.github.grpcresilience.cancel.context.GrpcContextAccessor;
import io.github.grpcresilience.event.Work;

/**
 * A subscription that ends with its call: what is upstream is cancelled, and the
 * subscriber is told why. Whoever ends it first wins: the source, the subscriber, or the
 * call. Signals to the subscriber run in the Context of the call and one at a time,
 * though the call ends on a thread of its own.
 */
final class GuardedSubscriber<T> implements CoreSubscriber<T>, Subscription, CancellationListener {

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

	private final Context upstreamContext;

	private final io.grpc.Context context;

	private final WorkCanceller canceller;

	private final AtomicReference<State> state = new AtomicReference<>(State.NEW);

	/** Written before SUBSCRIBING. */
	private @Nullable Subscription upstream;

	GuardedSubscriber(CoreSubscriber<? super T> actual, io.grpc.Context context, WorkCanceller canceller) {
		this.actual = Operators.serialize(actual);
		this.context = context;
		this.canceller = canceller;
		Context guarded = actual.currentContext().put(GuardedPublisher.GUARDED, true);
		this.upstreamContext = canceller.isEnforced() ? guarded.put(GrpcContextAccessor.KEY, context) : guarded;
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
		CallEnd.listen(this.context, this);
		io.grpc.@Nullable Context previous = enter();
		try {
			this.actual.onSubscribe(this);
		}
		finally {
			leave(previous);
		}
		if (!this.state.compareAndSet(State.SUBSCRIBING, State.ACTIVE)
				&& this.state.compareAndSet(State.DOOMED, State.ENDED)) {
			fail();
		}
	}

	@Override
	public void onNext(T value) {
		State now = this.state.get();
		if (now == State.DOOMED || now == State.ENDED) {
			Operators.onDiscard(value, this.upstreamContext);
			return;
		}
		io.grpc.@Nullable Context previous = enter();
		try {
			this.actual.onNext(value);
		}
		finally {
			leave(previous);
		}
	}

	@Override
	public void onError(Throwable thrown) {
		// Otherwise the subscriber has been told something else already.
		if (end()) {
			io.grpc.@Nullable Context previous = enter();
			try {
				this.actual.onError(thrown);
			}
			finally {
				leave(previous);
			}
		}
	}

	@Override
	public void onComplete() {
		if (end()) {
			io.grpc.@Nullable Context previous = enter();
			try {
				this.actual.onComplete();
			}
			finally {
				leave(previous);
			}
		}
	}

	@Override
	public void request(long count) {
		Subscription source = this.upstream;
		if (source == null) {
			return;
		}
		io.grpc.@Nullable Context previous = enter();
		try {
			source.request(count);
		}
		finally {
			leave(previous);
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
			this.context.removeListener(this);
		}
		return before.isAlive();
	}

	private void cancelUpstream() {
		Subscription source = this.upstream;
		if (source != null) {
			io.grpc.@Nullable Context previous = enter();
			try {
				source.cancel();
			}
			finally {
				leave(previous);
			}
		}
	}

	/**
	 * Called on the thread that cancels, which must not block.
	 */
	@Override
	public void cancelled(io.grpc.Context cancelled) {
		if (!CallEnd.isAbandoned(cancelled)) {
			return;
		}
		if (this.canceller.isEnforced()) {
			this.canceller.cancel(this::abandon);
		}
		else if (this.state.get() != State.ENDED) {
			this.canceller.counts().cancelled(Work.SUBSCRIPTION);
		}
	}

	private void abandon() {
		State before = this.state.getAndUpdate(State::abandoned);
		if (!before.isAlive()) {
			return;
		}
		this.canceller.counts().cancelled(Work.SUBSCRIPTION);
		this.context.removeListener(this);
		cancelUpstream();
		if (before == State.ACTIVE) {
			fail();
		}
	}

	private void fail() {
		Throwable cause = this.context.cancellationCause();
		Throwable failure = CallEnd.failure(this.context, "subscription",
				(cause != null) ? cause : new CancellationException("the call is over"));
		io.grpc.@Nullable Context previous = enter();
		try {
			this.actual.onError(failure);
		}
		finally {
			leave(previous);
		}
	}

	private io.grpc.@Nullable Context enter() {
		return this.canceller.isEnforced() ? this.context.attach() : null;
	}

	private void leave(io.grpc.@Nullable Context previous) {
		if (previous != null) {
			this.context.detach(previous);
		}
	}

}
