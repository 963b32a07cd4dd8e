package io.github.grpcresilience.internal.cancel.http;

import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;

/**
 * The body of a response, which fails when its exchange is stopped and ends the exchange
 * when it ends. The failure comes from another thread than the body, but, as
 * {@link java.util.concurrent.Flow} demands, never while a signal is being received: then
 * the thread that delivers the signal delivers the failure after it.
 *
 * @param <T> type of the body
 */
final class GuardedBody<T> implements BodySubscriber<T>, Subscription {

	/** No signal comes any more: the body has ended, was cancelled or has failed. */
	private static final int ENDED = 1 << 30;

	/** A failure is due. */
	private static final int STOPPED = 1 << 29;

	private static final int SUBSCRIBED = 1 << 28;

	/** The flags, and in the lower bits how many signals are being received. */
	private final AtomicInteger state = new AtomicInteger();

	private final BodySubscriber<T> delegate;

	private final CallExchange exchange;

	private final boolean ownConnection;

	/** Null before the body begins. */
	private volatile @Nullable Subscription subscription;

	/**
	 * Guards a body.
	 * @param ownConnection whether no other exchange uses its connection before it ends
	 */
	GuardedBody(BodySubscriber<T> delegate, CallExchange exchange, boolean ownConnection) {
		this.delegate = delegate;
		this.exchange = exchange;
		this.ownConnection = ownConnection;
	}

	@Override
	public CompletionStage<T> getBody() {
		return this.delegate.getBody();
	}

	@Override
	public void onSubscribe(Subscription subscription) {
		this.subscription = subscription;
		if (!enter(SUBSCRIBED)) {
			subscription.cancel();
			return;
		}
		try {
			this.delegate.onSubscribe(this);
		}
		finally {
			leave();
		}
	}

	@Override
	public void onNext(List<ByteBuffer> item) {
		if (enter(0)) {
			try {
				this.delegate.onNext(item);
			}
			finally {
				leave();
			}
		}
	}

	@Override
	public void onError(Throwable thrown) {
		if (end()) {
			this.exchange.close();
			this.delegate.onError(this.exchange.explain(thrown));
		}
	}

	@Override
	public void onComplete() {
		if (end()) {
			this.exchange.close();
			this.delegate.onComplete();
		}
	}

	@Override
	public void request(long count) {
		Subscription current = this.subscription;
		if (current != null) {
			current.request(count);
		}
	}

	@Override
	public void cancel() {
		this.state.getAndUpdate((now) -> now | ENDED);
		this.exchange.close();
		cancelSubscription();
	}

	private void cancelSubscription() {
		Subscription current = this.subscription;
		if (current != null) {
			current.cancel();
		}
	}

	/**
	 * Ends the body with a failure.
	 */
	void stop() {
		int before = this.state.getAndUpdate((now) -> ((now & ENDED) != 0) ? now : now | STOPPED);
		if ((before & (ENDED | STOPPED)) == 0) {
			abort();
			failIfIdle();
		}
	}

	/**
	 * Ends what delivers the body. The JDK's client closes the connection on the thread
	 * that cancels, whoever uses it by then; a demand that Flow forbids (rule 3.9) it
	 * answers on the thread that reads, and so only while the body lasts. One that has
	 * not begun is cancelled when it does.
	 */
	private void abort() {
		if (this.ownConnection) {
			request(-1);
		}
		else {
			cancelSubscription();
		}
	}

	/**
	 * Of all threads that find the body stopped and idle, one wins.
	 */
	private void failIfIdle() {
		int now = this.state.get();
		boolean idle = (now & STOPPED) != 0 && (now & ENDED) == 0 && (now & (SUBSCRIBED - 1)) == 0;
		if (idle && this.state.compareAndSet(now, now | ENDED)) {
			this.exchange.close();
			if ((now & SUBSCRIBED) == 0) {
				this.delegate.onSubscribe(this);
			}
			this.delegate.onError(this.exchange.failure(null));
		}
	}

	private boolean enter(int flag) {
		int before = this.state.getAndUpdate((now) -> ((now & (ENDED | STOPPED)) != 0) ? now : (now | flag) + 1);
		return (before & (ENDED | STOPPED)) == 0;
	}

	private void leave() {
		this.state.decrementAndGet();
		failIfIdle();
	}

	/**
	 * A body that is to fail anyway does not end otherwise.
	 */
	private boolean end() {
		int before = this.state.getAndUpdate((now) -> ((now & STOPPED) != 0) ? now : now | ENDED);
		return (before & (ENDED | STOPPED)) == 0;
	}

}
