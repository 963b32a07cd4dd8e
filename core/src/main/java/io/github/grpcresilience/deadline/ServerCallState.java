package io.github.grpcresilience.deadline;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.CallRecord;
import io.github.grpcresilience.call.CallScope;
import io.github.grpcresilience.call.ServedCall;
import io.github.grpcresilience.method.KnownMethod;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.time.Timeout;

/**
 * What is known of one call that is served, from its arrival on. Its monitor is the one
 * lock under which the call sends and closes.
 *
 * <p>
 * Created on the transport thread; {@link #started} runs on the call's executor,
 * {@link #streamClosed} on the transport thread, in either order. Whichever comes second
 * counts the end and releases the timer. No transport thread ever takes the monitor.
 */
final class ServerCallState extends ServerStreamTracer implements ServedCall {

	private static final int STARTED = 1;

	private static final int ENDED = 2;

	/**
	 * Messages to nobody that are dropped without a word: a handler that asked just
	 * before the end, or that is finishing, must not be thrown at (contract 4).
	 */
	private static final int TOLERATED = 16;

	/** How streams end that were not answered, as far as codes tell. */
	private static final Set<Status.Code> ENDS = EnumSet.of(Status.Code.CANCELLED, Status.Code.DEADLINE_EXCEEDED,
			Status.Code.UNAVAILABLE);

	private static final Context.CancellationListener ANCHOR = (context) -> {
	};

	private final CallRecord record;

	/** Stops the work of a call that ended; the application's listeners may block it. */
	private final Executor cancellations;

	/** The handler, whichever callback of it runs. */
	private final CallScope scope;

	private final AtomicInteger progress = new AtomicInteger();

	/** Written before ENDED. */
	private Status.Code endCode = Status.Code.UNKNOWN;

	/** Written before ENDED. */
	private long elapsedAtEndNanos;

	/** Written before STARTED; what mode observe would have allowed. */
	private long observedBudgetNanos = Long.MAX_VALUE;

	/** Written by the call's executor, read by whoever ends the call. */
	private volatile @Nullable Timeout timeout;

	/** Written before the timeout; how long before its deadline the call is answered. */
	private volatile long marginNanos;

	/**
	 * Written by the call's executor before the handler starts, read by the transport.
	 */
	private volatile @Nullable CancellableContext context;

	/**
	 * The call at its outermost, written before its handler sees it; null where decisions
	 * are only observed.
	 */
	private volatile @Nullable ServerCall<?, ?> guarded;

	/** Messages to nobody. Guarded by the lock, which is the monitor. */
	private int dropped;

	/** Only ever compared by a thread with itself, which sees what it wrote itself. */
	private @Nullable Thread callbackThread;

	/** Set by whoever is first; two that are first at once do no harm. */
	private volatile boolean anchored;

	/** Written by the call's executor, read by whoever ends the call. */
	private volatile @Nullable CallOver over;

	/** Written before the answer that says so is handed to grpc-java. */
	private volatile boolean exceeded;

	/** Written when a downstream call ends, read when this one is answered. */
	private volatile @Nullable SpentBy spentBy;

	ServerCallState(Deadline.Ticker ticker, boolean repeated, Executor cancellations) {
		this.record = new CallRecord(ticker, repeated);
		this.cancellations = cancellations;
		this.scope = CallScope.ofHandler(this.record);
	}

	/**
	 * The call that is being served in a Context.
	 * @return the call; {@code null} outside of a call, in an exempt one, on a server
	 * that is not ours, and where a request of another protocol is served
	 */
	static @Nullable ServerCallState find(Context context) {
		return (KEY.get(context) instanceof ServerCallState call) ? call : null;
	}

	@Override
	public Context filterContext(Context context) {
		return context.withValue(KEY, this);
	}

	@Override
	public CallRecord record() {
		return this.record;
	}

	CallScope scope() {
		return this.scope;
	}

	void guardedBy(ServerCall<?, ?> outermost) {
		this.guarded = outermost;
	}

	@Override
	public void answer(Status status, Metadata trailers) {
		ServerCall<?, ?> outermost = this.guarded;
		if (outermost != null) {
			outermost.close(status, trailers);
		}
	}

	/**
	 * Nanoseconds since arrival.
	 */
	long elapsedNanos() {
		return this.record.elapsedNanos();
	}

	/**
	 * The call reached the interceptors.
	 * @param budget what mode {@code observe} would allow the call, in nanoseconds;
	 * {@code Long.MAX_VALUE} for no bound
	 */
	void started(KnownMethod method, long budget) {
		this.record.calls(method);
		this.observedBudgetNanos = budget;
		method.counts().started();
		if ((this.progress.getAndUpdate((bits) -> bits | STARTED) & ENDED) != 0) {
			countEnd();
		}
	}

	/**
	 * The handler is told something, or no longer is, on the current thread.
	 */
	void inCallback(boolean begins) {
		this.callbackThread = begins ? Thread.currentThread() : null;
		CallOver told = this.over;
		if (told != null) {
			told.inCallback(begins);
		}
	}

	/**
	 * Drops a message of a call that is over. Under the lock.
	 * @return whether its handler must be stopped: it goes on producing on the thread on
	 * which it is being told something, and so cannot be told that its call was cancelled
	 */
	boolean drop(MethodType type) {
		this.dropped++;
		return this.dropped > TOLERATED && !type.serverSendsOneMessage()
				&& this.callbackThread == Thread.currentThread();
	}

	/**
	 * The handler will run in a Context of our making.
	 */
	void runsIn(CancellableContext context) {
		this.context = context;
		this.record.hasContextDeadline(context.getDeadline());
		// The call may have ended before anybody could see the Context.
		if (this.record.hasEnded()) {
			cancelContext();
		}
	}

	/**
	 * The call ended without an answer of its handler: stops its work, on threads that
	 * may be blocked.
	 */
	void stopWork() {
		this.cancellations.execute(() -> {
			this.record.tell();
			cancelContext();
		});
	}

	/**
	 * Cancels what the handler began, with the cause that tells a deadline from a caller
	 * that left. Cancelling twice does nothing.
	 */
	void cancelContext() {
		CancellableContext own = this.context;
		if (own != null) {
			own.cancel(this.record.isTimedOut() ? new TimeoutException("the call's deadline ended before its work did")
					: Status.CANCELLED.withDescription("the caller left").asRuntimeException());
		}
	}

	@Override
	public void whenOver(OverListener listener) {
		CallOver told = new CallOver(listener, this.callbackThread == Thread.currentThread());
		this.over = told;
		// The stream may have ended before anybody could see the listener.
		if (hasEnded()) {
			told.streamEnded(this.endCode, this.elapsedAtEndNanos);
		}
	}

	@Override
	public void anchor() {
		CancellableContext own = this.context;
		if (own != null && !this.anchored) {
			this.anchored = true;
			own.addListener(ANCHOR, Runnable::run);
		}
	}

	/**
	 * Keeps the timer that ends the call, unless the call has ended meanwhile.
	 */
	void arm(Timeout timeout, long marginNanos) {
		this.marginNanos = marginNanos;
		this.timeout = timeout;
		if (hasEnded()) {
			timeout.cancel();
		}
	}

	void disarm() {
		Timeout timeout = this.timeout;
		if (timeout != null) {
			timeout.cancel();
		}
	}

	/**
	 * The stream ended. Called once, by the transport.
	 */
	@Override
	public void streamClosed(Status status) {
		this.endCode = status.getCode();
		this.elapsedAtEndNanos = this.record.elapsedNanos();
		if ((this.progress.getAndUpdate((bits) -> bits | ENDED) & STARTED) != 0) {
			countEnd();
		}
		CallOver told = this.over;
		if (told != null) {
			told.streamEnded(this.endCode, this.elapsedAtEndNanos);
		}
		disarm();
		endWork(status.getCode());
	}

	/**
	 * A handler that answered has said so to the guard. From here, since grpc-java tells
	 * of a caller's leaving on the call's executor, whose threads may all wait for what
	 * this is to stop.
	 */
	private void endWork(Status.Code code) {
		if (this.guarded == null && !ENDS.contains(code)) {
			this.record.answer();
		}
		else if (this.record.end(this.record.remainingNanos() <= this.marginNanos)) {
			// Who leaves when the answer is due has no time left either.
			stopWork();
		}
	}

	@Override
	public boolean hasEnded() {
		return (this.progress.get() & ENDED) != 0;
	}

	private void countEnd() {
		KnownMethod known = method();
		if (known == null) {
			throw new IllegalStateException("ended before it started");
		}
		known.counts().ended(this.endCode);
		if (this.elapsedAtEndNanos > this.observedBudgetNanos) {
			known.decided(Reason.DEADLINE_EXCEEDED, false);
		}
		else if (this.exceeded && this.endCode == Status.Code.DEADLINE_EXCEEDED) {
			// Otherwise the caller left before the answer did.
			known.decided(Reason.DEADLINE_EXCEEDED, true);
		}
	}

	/**
	 * The call is about to be answered that its time is up.
	 */
	void exceeded() {
		this.exceeded = true;
	}

	@Nullable SpentBy spentBy() {
		return this.spentBy;
	}

	void spentBy(SpentBy spentBy) {
		this.spentBy = spentBy;
	}

}
