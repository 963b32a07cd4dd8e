package io.github.grpcresilience.internal.call;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.ServedMethod;

/**
 * What is known of one call that is served, or of one request of another protocol: when
 * it began, how long it may take, and what became of it. Whoever stops work asks it, and
 * nobody else. Safe for concurrent use.
 *
 * <p>
 * A call runs, and then either is <em>answered</em> by its handler, after which nothing
 * of it is left, or <em>ends</em> without: its time was up, or its caller left. What
 * comes first holds (decision 21).
 */
public final class CallRecord {

	/** No bound. */
	public static final long UNLIMITED = Long.MAX_VALUE;

	private final Deadline.Ticker ticker;

	private final long begunNanos;

	private final boolean repeated;

	/** Written before the call's work sees the record. */
	private @Nullable ServedMethod method;

	/** Written before the call's work sees the record; nanoseconds from the beginning. */
	private long budgetNanos = UNLIMITED;

	/** Written before the call's work sees the record. */
	private boolean lateCommitsRefused;

	/** Written before the call's work sees the record. */
	private @Nullable Deadline contextDeadline;

	/** Written before the call's work sees the record. */
	private boolean detached;

	/** Written under the lock. */
	private volatile Life life = Life.RUNNING;

	/** Written under the lock, before the life. */
	private long endedNanos;

	/** The work that was registered last, with the others behind it. */
	@GuardedBy("this")
	private @Nullable Registration latest;

	/**
	 * Begins a record now.
	 * @param ticker source of time
	 * @param repeated whether the caller has made this call before
	 */
	public CallRecord(Deadline.Ticker ticker, boolean repeated) {
		this.ticker = ticker;
		this.repeated = repeated;
		this.begunNanos = ticker.nanoTime();
	}

	/**
	 * Says how long the call may take. Called before its work begins.
	 * @param budgetNanos nanoseconds from the beginning; {@link #UNLIMITED} for no bound
	 * @return this record
	 */
	public CallRecord within(long budgetNanos) {
		this.budgetNanos = budgetNanos;
		return this;
	}

	/**
	 * Says which method is called. Called before its work begins.
	 * @param method the method
	 */
	public void calls(ServedMethod method) {
		this.method = method;
		this.lateCommitsRefused = method.policy().refusesLateCommits();
	}

	/**
	 * Says that transactions must not be committed any more once the call has ended.
	 * Called before its work begins.
	 * @param refused whether they are rolled back
	 * @return this record
	 */
	public CallRecord refusingLateCommits(boolean refused) {
		this.lateCommitsRefused = refused;
		return this;
	}

	/**
	 * Says that this is no call but work that was detached from one. Called before the
	 * work begins.
	 * @return this record
	 */
	public CallRecord detached() {
		this.detached = true;
		return this;
	}

	/**
	 * Whether this is work that was detached from a call.
	 * @return {@code false} for calls and requests
	 */
	public boolean isDetached() {
		return this.detached;
	}

	/**
	 * Says which deadline gRPC's Context of the handler has. Called before its work
	 * begins.
	 * @param deadline the deadline; {@code null} if there is none
	 */
	public void hasContextDeadline(@Nullable Deadline deadline) {
		this.contextDeadline = deadline;
	}

	/**
	 * The method that is called.
	 * @return the method; {@code null} if this is no gRPC call, or if its policy has not
	 * been looked at
	 */
	public @Nullable ServedMethod method() {
		return this.method;
	}

	/**
	 * What people call it.
	 * @return the full name of the method, or what else it is
	 */
	public String subject() {
		return (this.method != null) ? this.method.name()
				: this.detached ? "detached work" : "a request that is no gRPC call";
	}

	/**
	 * Whether this is a request of another protocol.
	 * @return {@code false} for calls whose policy was looked at, and for detached work
	 */
	public boolean isRequest() {
		return this.method == null && !this.detached;
	}

	/**
	 * Whether the caller has made this call before.
	 * @return {@code true} for a further attempt
	 */
	public boolean isRepeated() {
		return this.repeated;
	}

	/**
	 * Whether threads that work for the call are interrupted when it ends.
	 * @return what the policy of its method says
	 */
	public boolean isInterruptible() {
		return this.method != null && this.method.policy().interruptOnCancel();
	}

	/**
	 * Whether transactions are rolled back that are to be committed after the end.
	 * @return {@code false} if they may be
	 */
	public boolean refusesLateCommits() {
		return this.lateCommitsRefused;
	}

	/**
	 * Whether a deadline is the one that gRPC's Context of the handler has, and none that
	 * somebody has written.
	 * @param deadline the deadline of some Context
	 * @return {@code true} if it comes of this call
	 */
	public boolean isContextDeadline(Deadline deadline) {
		return deadline.equals(this.contextDeadline);
	}

	/**
	 * Time since the beginning.
	 * @return nanoseconds
	 */
	public long elapsedNanos() {
		return this.ticker.nanoTime() - this.begunNanos;
	}

	/**
	 * When something is due.
	 * @param nanos nanoseconds from the beginning
	 * @return the time as the ticker says it
	 */
	public long at(long nanos) {
		return this.begunNanos + nanos;
	}

	/**
	 * Time that is left.
	 * @return nanoseconds, negative if the deadline has passed; {@link #UNLIMITED} for no
	 * bound
	 */
	public long remainingNanos() {
		return (this.budgetNanos != UNLIMITED) ? this.budgetNanos - elapsedNanos() : UNLIMITED;
	}

	/**
	 * Whether the handler has answered the call: then nothing of it is left.
	 * @return {@code true} once it has
	 */
	public boolean isAnswered() {
		return this.life == Life.ANSWERED;
	}

	/**
	 * Whether the call ended before its handler answered it: nobody waits any more.
	 * @return {@code true} once it has
	 */
	public boolean hasEnded() {
		Life now = this.life;
		return now == Life.TIMED_OUT || now == Life.LEFT;
	}

	/**
	 * Whether nobody waits any more, or nobody will in a moment: what waits for as long
	 * as the call may take can come back before anybody says that its time is up.
	 * @return {@code true} once the call has ended, or has no time left
	 */
	public boolean isOver() {
		return hasEnded() || (this.life == Life.RUNNING && remainingNanos() <= 0);
	}

	/**
	 * Whether the call ended because its time was up.
	 * @return {@code true} once it has
	 */
	public boolean isTimedOut() {
		return this.life == Life.TIMED_OUT;
	}

	/**
	 * How old something was when the call ended.
	 * @param begunNanos when it began, as the ticker says it
	 * @return nanoseconds, negative if it began later; the call must have ended
	 */
	public long ageAtEndNanos(long begunNanos) {
		return this.endedNanos - begunNanos;
	}

	/**
	 * How long something has taken since the call ended.
	 * @param begunNanos when it began, as the ticker says it
	 * @return nanoseconds; the call must have ended
	 */
	public long spentAfterEndNanos(long begunNanos) {
		return this.ticker.nanoTime() - this.endedNanos + Math.min(0, ageAtEndNanos(begunNanos));
	}

	/**
	 * Source of the time.
	 * @return the ticker
	 */
	public Deadline.Ticker ticker() {
		return this.ticker;
	}

	/**
	 * The handler answers the call, well or not.
	 * @return {@code false} if it was answered before, or has ended
	 */
	public synchronized boolean answer() {
		if (this.life != Life.RUNNING) {
			return false;
		}
		this.life = Life.ANSWERED;
		this.latest = null;
		return true;
	}

	/**
	 * The call ends without an answer of its handler. Who says so then calls
	 * {@link #tell}, perhaps on another thread.
	 * @param timedOut whether its time is up; else its caller left
	 * @return {@code false} if it was answered before, or has ended
	 */
	public synchronized boolean end(boolean timedOut) {
		if (this.life != Life.RUNNING) {
			return false;
		}
		this.endedNanos = this.ticker.nanoTime();
		this.life = timedOut ? Life.TIMED_OUT : Life.LEFT;
		return true;
	}

	/**
	 * Tells the work of the call that it has ended, what was begun first before what was
	 * begun in it.
	 */
	public void tell() {
		takeRegistered().forEach((registration) -> registration.listener.ended(this));
	}

	private synchronized List<Registration> takeRegistered() {
		List<Registration> taken = new ArrayList<>();
		for (Registration registration = this.latest; registration != null; registration = registration.earlier) {
			registration.linked = false;
			taken.add(registration);
		}
		this.latest = null;
		Collections.reverse(taken);
		return taken;
	}

	/**
	 * Asks to be told when the call ends. An answer is told to nobody.
	 * @param listener told once; at once, on this thread, if the call has ended
	 * @return what takes the request back
	 */
	public Registration listen(EndListener listener) {
		Registration registration = new Registration(listener);
		if (!link(registration) && hasEnded()) {
			listener.ended(this);
		}
		return registration;
	}

	private synchronized boolean link(Registration registration) {
		if (this.life != Life.RUNNING) {
			return false;
		}
		registration.linked = true;
		registration.earlier = this.latest;
		if (this.latest != null) {
			this.latest.later = registration;
		}
		this.latest = registration;
		return true;
	}

	private synchronized void unlink(Registration registration) {
		if (!registration.linked) {
			return;
		}
		registration.linked = false;
		if (this.life == Life.ANSWERED) {
			return;
		}
		if (registration.earlier != null) {
			registration.earlier.later = registration.later;
		}
		if (registration.later != null) {
			registration.later.earlier = registration.earlier;
		}
		else {
			this.latest = registration.earlier;
		}
	}

	/**
	 * Work that waits to be told.
	 * @return a momentary number
	 */
	public synchronized int registered() {
		int count = 0;
		for (Registration registration = this.latest; registration != null; registration = registration.earlier) {
			count++;
		}
		return count;
	}

	private enum Life {

		RUNNING, ANSWERED, TIMED_OUT, LEFT

	}

	/**
	 * Is told that a call has ended.
	 */
	@FunctionalInterface
	public interface EndListener {

		/**
		 * The call has ended, and its handler has not answered it. Called on the thread
		 * that ends it, or on the one that asked to be told: must not block.
		 * @param call the call
		 */
		void ended(CallRecord call);

	}

	/**
	 * A request to be told. Safe for concurrent use.
	 */
	public final class Registration implements AutoCloseable {

		private final EndListener listener;

		// Guarded by the record:

		private @Nullable Registration earlier;

		private @Nullable Registration later;

		private boolean linked;

		private Registration(EndListener listener) {
			this.listener = listener;
		}

		/**
		 * Takes the request back; the listener may be called at this moment.
		 */
		@Override
		public void close() {
			unlink(this);
		}

	}

}
