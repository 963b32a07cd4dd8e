package io.github.grpcresilience.cancel.reactor;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import reactor.core.CorePublisher;
import reactor.core.CoreSubscriber;
import reactor.core.Scannable;
import reactor.core.publisher.Operators;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.WorkCanceller;

/**
 * The last operator of a chain that is subscribed to in a call. It ends with the call if
 * the call alone waits for it. What the chain does on this thread may be done for others
 * as well, so it is work that was carried away (decision 25).
 */
final class GuardedPublisher<T> implements CorePublisher<T>, Scannable {

	private final Publisher<T> source;

	private final CallScope scope;

	private final WorkCanceller canceller;

	GuardedPublisher(Publisher<T> source, CallScope scope, WorkCanceller canceller) {
		this.source = source;
		this.scope = scope;
		this.canceller = canceller;
	}

	@Override
	public void subscribe(Subscriber<? super T> actual) {
		subscribe(Operators.toCoreSubscriber(actual));
	}

	@Override
	public void subscribe(CoreSubscriber<? super T> actual) {
		// What begins after the end may be cleaning up, and is never refused.
		boolean guarded = !this.scope.isCarried() && !this.scope.call().hasEnded()
				&& Audience.of(actual) == Audience.CALL;
		CallScope outer = this.scope.carriedAway().enter();
		try {
			pass(guarded ? new GuardedSubscriber<>(actual, this.scope, this.canceller) : actual);
		}
		finally {
			CallScope.leave(outer);
		}
	}

	/**
	 * Not by way of the hooks, which would put a guard here again.
	 */
	private void pass(CoreSubscriber<? super T> actual) {
		if (this.source instanceof CorePublisher<T> core) {
			core.subscribe(actual);
		}
		else {
			this.source.subscribe(actual);
		}
	}

	/**
	 * As the source says: whether Reactor wraps subscribers to restore thread-locals must
	 * not depend on the guard.
	 */
	@Override
	@SuppressWarnings("rawtypes")
	public @Nullable Object scanUnsafe(Attr key) {
		return Scannable.from(this.source).scanUnsafe(key);
	}

}
