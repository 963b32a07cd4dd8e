package io.github.grpcresilience.cancel;

import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;

/**
 * Lets the cancellation of a Context interrupt one thread while it works for the call,
 * and at no other time: an interrupt that comes at the last moment is taken back before
 * the thread goes on with something else. Created and ended by that thread; cancelled on
 * any other. Where one begins inside another, the inner one takes over: the outer one
 * interrupts when the inner one has ended.
 */
public final class Interruption implements CancellationListener, AutoCloseable {

	private static final ThreadLocal<@Nullable Interruption> CURRENT = new ThreadLocal<>();

	private final Context context;

	private final WorkCanceller canceller;

	private final Work work;

	private final Thread thread = Thread.currentThread();

	private final @Nullable Interruption outer = CURRENT.get();

	/** Guarded by this. */
	private boolean covered;

	/** Guarded by this. */
	private boolean ended;

	/** Guarded by this. */
	private boolean interrupted;

	private Interruption(Context context, WorkCanceller canceller, Work work) {
		this.context = context;
		this.canceller = canceller;
		this.work = work;
	}

	/**
	 * From now on the current thread is interrupted when the Context is cancelled.
	 * @param context Context of the work
	 * @param canceller counts it
	 * @param work kind of the work
	 * @return what ends it; call {@link #close()} on the same thread
	 */
	public static Interruption begin(Context context, WorkCanceller canceller, Work work) {
		Interruption interruption = new Interruption(context, canceller, work);
		if (interruption.outer != null) {
			interruption.outer.cover();
		}
		CURRENT.set(interruption);
		CallEnd.listen(context, interruption);
		return interruption;
	}

	/**
	 * Called on the thread that cancels, which must not block: it only sets a flag.
	 */
	@Override
	public void cancelled(Context cancelled) {
		if (!CallEnd.isAbandoned(cancelled)) {
			return;
		}
		synchronized (this) {
			if (this.ended) {
				return;
			}
			this.canceller.counts().cancelled(this.work);
			if (this.canceller.isEnforced()) {
				this.interrupted = true;
				if (!this.covered) {
					this.thread.interrupt();
				}
			}
		}
	}

	/**
	 * Whether the thread was interrupted. For the thread itself.
	 * @return {@code true} from the cancellation on
	 */
	synchronized boolean isInterrupted() {
		return this.interrupted;
	}

	/**
	 * The work is done: no interrupt comes any more, and one that came is taken back.
	 */
	@Override
	public void close() {
		this.context.removeListener(this);
		synchronized (this) {
			this.ended = true;
			if (this.interrupted) {
				Thread.interrupted();
			}
		}
		if (this.outer == null) {
			CURRENT.remove();
		}
		else {
			CURRENT.set(this.outer);
			this.outer.uncover();
		}
	}

	private synchronized void cover() {
		this.covered = true;
	}

	/** The inner work may have used up the interrupt that was meant for both. */
	private synchronized void uncover() {
		this.covered = false;
		if (this.interrupted) {
			this.thread.interrupt();
		}
	}

}
