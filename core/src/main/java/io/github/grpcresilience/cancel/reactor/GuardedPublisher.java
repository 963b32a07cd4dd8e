package io.github.grpcresilience.cancel.reactor;

import io.grpc.Context;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import reactor.core.CorePublisher;
import reactor.core.CoreSubscriber;
import reactor.core.Scannable;
import reactor.core.publisher.Operators;

import io.github.grpcresilience.cancel.CallEnd;
import io.github.grpcresilience.cancel.WorkCanceller;
import io.github.grpcresilience.event.Work;

/**
 * The last operator of a chain that is subscribed to in a call. Chains within the chain
 * end with it and need no guard of their own.
 */
final class GuardedPublisher<T> implements CorePublisher<T>, Scannable {

	/** In the context of subscribers: whether there is a guard further down. */
	static final Object GUARDED = new Object();

	/**
	 * Tells Contexts that Reactor carries. It does so for whatever is scheduled, such as
	 * the cleaning of a connection pool that this call happened to need first, which goes
	 * on when the call is gone.
	 */
	private static final Context.Key<Boolean> CARRIED = Context.key("grpc-resilience-carried");

	private final Publisher<T> source;

	private final Context context;

	private final WorkCanceller canceller;

	GuardedPublisher(Publisher<T> source, Context context, WorkCanceller canceller) {
		this.source = source;
		this.context = context;
		this.canceller = canceller;
	}

	@Override
	public void subscribe(Subscriber<? super T> actual) {
		subscribe(Operators.toCoreSubscriber(actual));
	}

	@Override
	public void subscribe(CoreSubscriber<? super T> actual) {
		boolean abandoned = CallEnd.isAbandoned(this.context);
		if (actual.currentContext().hasKey(GUARDED) || isAnswered(abandoned) || (abandoned && isCarried())) {
			pass(actual);
			return;
		}
		if (abandoned) {
			refuse(actual);
			return;
		}
		if (!this.canceller.isEnforced()) {
			pass(new GuardedSubscriber<>(actual, this.context, this.canceller));
			return;
		}
		Context work = workContext();
		Context previous = work.attach();
		try {
			pass(new GuardedSubscriber<>(actual, work, this.canceller));
		}
		finally {
			work.detach(previous);
		}
	}

	private void refuse(CoreSubscriber<? super T> actual) {
		this.canceller.counts().refused(Work.SUBSCRIPTION);
		if (this.canceller.isEnforced()) {
			Operators.error(actual, CallEnd.failure(this.context, "subscription", null));
		}
		else {
			pass(actual);
		}
	}

	private boolean isAnswered(boolean abandoned) {
		return this.context.isCancelled() && !abandoned;
	}

	private boolean isCarried() {
		return CARRIED.get(this.context) != null;
	}

	private Context workContext() {
		return isCarried() ? this.context : this.canceller.workContext(this.context).withValue(CARRIED, true);
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
