package io.github.grpcresilience.internal.cancel;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallRecord.EndListener;

/**
 * Lets the end of a call interrupt one thread while it works for the call, and at no
 * other time: an interrupt that comes at the last moment is taken back before the thread
 * goes on with something else. Created and ended by that thread; the call ends on any
 * other. Where one begins inside another, the inner one takes over: the outer one
 * interrupts when the inner one has ended.
 */
public final class Interruption implements EndListener, AutoCloseable {

	private static final ThreadLocal<@Nullable Interruption> CURRENT = new ThreadLocal<>();

	private final WorkCanceller canceller;

	private final Work work;

	private final Thread thread = Thread.currentThread();

	private final @Nullable Interruption outer = CURRENT.get();

	/** Owned by the thread; null until it is registered. */
	private CallRecord.@Nullable Registration registration;

	@GuardedBy("this")
	private boolean covered;

	@GuardedBy("this")
	private boolean ended;

	@GuardedBy("this")
	private boolean interrupted;

	private Interruption(WorkCanceller canceller, Work work) {
		this.canceller = canceller;
		this.work = work;
	}

	/**
	 * From now on the current thread is interrupted when the call ends.
	 * @param call the call that the work is done for
	 * @param canceller counts it
	 * @param work kind of the work
	 * @return what ends it; call {@link #close()} on the same thread
	 */
	public static Interruption begin(CallRecord call, WorkCanceller canceller, Work work) {
		Interruption interruption = new Interruption(canceller, work);
		if (interruption.outer != null) {
			interruption.outer.cover();
		}
		CURRENT.set(interruption);
		interruption.registration = call.listen(interruption);
		return interruption;
	}

	/**
	 * Called on the thread that ends the call, which must not block: it only sets a flag.
	 */
	@Override
	public void ended(CallRecord call) {
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
	 * @return {@code true} from the end of the call on
	 */
	synchronized boolean isInterrupted() {
		return this.interrupted;
	}

	/**
	 * The work is done: no interrupt comes any more, and one that came is taken back.
	 */
	@Override
	public void close() {
		if (this.registration != null) {
			this.registration.close();
		}
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
