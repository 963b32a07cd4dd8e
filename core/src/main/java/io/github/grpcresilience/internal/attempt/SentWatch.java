package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.PlacedAttempt;

/**
 * Notices when an attempt is sent, which is when its headers are written and not when a
 * stream is made for it, and that the channel makes further ones itself, as a service
 * config asks it to. Transparent retries are none: there the server has seen nothing.
 * Remembers which backend it went to.
 *
 * <p>
 * Safe for concurrent use. Written by threads of the transport, which take no lock here
 * and run nothing: they hand over.
 */
final class SentWatch extends ClientStreamTracer.Factory implements PlacedAttempt {

	/** What is left of a time when that is as good as over: not worth another timeout. */
	static final long SOON_NANOS = 1_000_000;

	/**
	 * The channel tells before its backoff begins, and what is cancelled until then is
	 * sent all the same when the backoff is over.
	 */
	private static final long SETTLED_NANOS = 5_000_000;

	private static final AtomicReferenceFieldUpdater<SentWatch, @Nullable Runnable> WAITING = AtomicReferenceFieldUpdater
		.newUpdater(SentWatch.class, Runnable.class, "waiting");

	private final MethodAttempts method;

	/** Of the attempt that was made before it, of the same call. */
	private final @Nullable SentWatch before;

	/** The attempt, where it is one of ours; written before it is started. */
	private @Nullable Attempt<?, ?> attempt;

	/** Written before {@link #sent}. */
	private long sentNanos;

	private volatile boolean attached;

	private volatile boolean sent;

	private volatile boolean repeated;

	/** Handed over once it is sent; absent as long as nobody waits for that. */
	private volatile @Nullable Runnable waiting;

	/** Absent before one is chosen, and where nobody says which. */
	private volatile @Nullable Object backend;

	SentWatch(MethodAttempts method, @Nullable SentWatch before) {
		this.method = method;
		this.before = before;
	}

	@Override
	public boolean isAfterOneOn(Object backend) {
		for (SentWatch watch = this.before; watch != null; watch = watch.before) {
			if (watch.backend == backend) {
				return true;
			}
		}
		return false;
	}

	@Override
	public void place(Object backend) {
		this.backend = backend;
	}

	void watch(Attempt<?, ?> attempt) {
		this.attempt = attempt;
	}

	/**
	 * Whether the channel knows of the watch: an interceptor may have dropped it.
	 */
	boolean isAttached() {
		return this.attached;
	}

	boolean isSent() {
		return this.sent;
	}

	/**
	 * Whether the channel has made further attempts itself.
	 */
	boolean isRepeated() {
		return this.repeated;
	}

	/**
	 * What is left of a time that begins when the attempt is sent. Asked only when it
	 * was.
	 * @return nanoseconds, not positive if that is over
	 */
	long restNanos(long nanos) {
		return this.sentNanos + nanos - this.method.client().ticker().nanoTime();
	}

	/**
	 * Hands a task over once the attempt is sent, at once if it was. Only the last one
	 * that was given counts.
	 */
	void whenSent(Runnable task) {
		this.waiting = task;
		if (this.sent) {
			handOver();
		}
	}

	private void handOver() {
		Runnable task = WAITING.getAndSet(this, null);
		if (task != null) {
			this.method.client().executor().execute(task);
		}
	}

	@Override
	public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
		this.attached = true;
		if (info.isTransparentRetry()) {
			this.sent = false;
		}
		else if (info.getPreviousAttempts() > 0) {
			this.repeated = true;
			this.method.method().leaveAttemptsToChannel();
			Attempt<?, ?> own = this.attempt;
			if (own != null) {
				ClientAttempts client = this.method.client();
				client.timer().schedule(SETTLED_NANOS, () -> client.executor().execute(own::repeatedByChannel));
			}
		}
		return new StreamWatch();
	}

	private void streamSent() {
		this.sentNanos = this.method.client().ticker().nanoTime();
		this.sent = true;
		if (this.waiting != null) {
			handOver();
		}
	}

	private final class StreamWatch extends ClientStreamTracer {

		@Override
		public void outboundHeaders() {
			if (!SentWatch.this.sent) {
				streamSent();
			}
		}

	}

}
