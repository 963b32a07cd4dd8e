package io.github.grpcresilience.internal.call;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Executor;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.method.ServedMethods;
import io.github.grpcresilience.internal.time.Timeout;
import io.github.grpcresilience.internal.time.Timer;
import io.github.grpcresilience.status.Reason;

/**
 * One gRPC call that is served, from its arrival to the end of its stream, as its
 * {@link Context} carries it from interceptor to interceptor. What the call begins finds
 * its record by the {@link CallScope} instead.
 *
 * <p>
 * It alone knows who closes: nobody yet, then the handler, the deadline or the end of the
 * server, whoever is first; and whether the answer was sent, perhaps by an interceptor
 * that asked neither. Its monitor is the one lock under which the call sends and closes.
 *
 * <p>
 * Created on the transport thread; {@link #started} runs on the call's executor,
 * {@link #streamClosed} on the transport thread, in either order. Whichever comes second
 * counts the end and releases the timer. No transport thread ever takes the monitor.
 */
public final class ServedCall extends ServerStreamTracer {

	/** Where the Context holds the call; absent outside of a call and in exempt ones. */
	public static final Context.Key<ServedCall> KEY = Context.key("grpc-resilience-served-call");

	private static final int STARTED = 1;

	private static final int ENDED = 2;

	private static final VarHandle PROGRESS;

	static {
		try {
			PROGRESS = MethodHandles.lookup().findVarHandle(ServedCall.class, "progress", int.class);
		}
		catch (ReflectiveOperationException ex) {
			throw new ExceptionInInitializerError(ex);
		}
	}

	/**
	 * Messages to nobody that are dropped without a word: a handler that asked just
	 * before the end, or that is finishing, must not be thrown at (contract 4).
	 */
	private static final int TOLERATED = 16;

	/** A time that never comes: 146 years. */
	private static final long FAR_NANOS = Long.MAX_VALUE / 2;

	/** How streams end that were not answered, as far as codes tell. */
	private static final Set<Status.Code> ENDS = EnumSet.of(Status.Code.CANCELLED, Status.Code.DEADLINE_EXCEEDED,
			Status.Code.UNAVAILABLE);

	private static final Context.CancellationListener ANCHOR = (context) -> {
	};

	private final CallRecord record;

	/** The handler, whichever callback of it runs. */
	private final CallScope scope;

	/** Stops the work of a call that ended; the application's listeners may block it. */
	private final Executor cancellations;

	/** Bits; by {@link #PROGRESS}. */
	@SuppressWarnings("UnusedVariable") // by its handle
	private volatile int progress;

	/** Written under the lock. */
	private volatile Closer closer = Closer.NOBODY;

	/** Written under the lock. */
	private volatile boolean sent;

	/** Messages to nobody. */
	@GuardedBy("this")
	private int dropped;

	/** Written before the handler starts, as are the next two. */
	private long budgetNanos = CallRecord.UNLIMITED;

	private long queueNanos;

	/** How long before its deadline the call is answered. */
	private long marginNanos;

	/** Written before STARTED; what mode observe would have allowed. */
	private long observedBudgetNanos = CallRecord.UNLIMITED;

	/** Written before ENDED. */
	private Status.Code endCode = Status.Code.UNKNOWN;

	/** Written before ENDED. */
	private long elapsedAtEndNanos;

	/** Written by the call's executor, read by whoever ends the call. */
	private volatile @Nullable Timeout timeout;

	/** Written by the call's executor before the handler starts, read by all. */
	private volatile @Nullable PolicyCall<?, ?> policyCall;

	/**
	 * The call at its outermost, written before its handler sees it; null where decisions
	 * are only observed.
	 */
	private volatile @Nullable ServerCall<?, ?> outermost;

	/** Only ever compared by a thread with itself, which sees what it wrote itself. */
	private @Nullable Thread callbackThread;

	/** Only ever compared by a thread with itself, under the lock. */
	private @Nullable Thread sender;

	/** Set by whoever is first; two that are first at once do no harm. */
	private volatile boolean anchored;

	/** Written by the call's executor, read by whoever ends the call. */
	private volatile @Nullable CallOver over;

	/** Written before the answer that says so is handed to grpc-java. */
	private volatile boolean exceeded;

	/** Written when a downstream call ends, read when this one is answered. */
	private volatile @Nullable SpentBy spentBy;

	/**
	 * A call arrives.
	 * @param ticker source of time
	 * @param method the method, as far as its name is known yet
	 * @param repeated whether the caller has made this call before
	 * @param cancellations stops the work of the call if it ends; the application's
	 * listeners may block it
	 */
	public ServedCall(Deadline.Ticker ticker, @Nullable ServedMethod method, boolean repeated, Executor cancellations) {
		this.record = new CallRecord(ticker, repeated);
		this.scope = CallScope.ofHandler(this.record);
		this.cancellations = cancellations;
		if (method != null) {
			this.record.calls(method);
		}
	}

	@Override
	public Context filterContext(Context context) {
		return context.withValue(KEY, this);
	}

	/**
	 * What is known of the call.
	 * @return its record
	 */
	public CallRecord record() {
		return this.record;
	}

	/**
	 * The handler's scope.
	 * @return the same one each time
	 */
	public CallScope scope() {
		return this.scope;
	}

	/**
	 * The call that is being served in a Context.
	 * @param context the Context
	 * @param methods methods of the server
	 * @param descriptor the method as the server knows it
	 * @return the call, which knows its method; {@code null} if it is exempt, or if it
	 * did not arrive by our tracer, since the server is not ours
	 */
	public static @Nullable ServedCall find(Context context, ServedMethods methods, MethodDescriptor<?, ?> descriptor) {
		ServedCall served = KEY.get(context);
		if (served == null) {
			return null;
		}
		ServedMethod known = served.record.method();
		if (known == null) {
			known = methods.of(descriptor);
			served.record.calls(known);
		}
		return known.policy().exempt() ? null : served;
	}

	/**
	 * The method that is called.
	 * @return the method, once an interceptor of ours has seen the call
	 */
	public ServedMethod method() {
		ServedMethod known = this.record.method();
		if (known == null) {
			throw new IllegalStateException("no interceptor has seen the call");
		}
		return known;
	}

	/**
	 * Says how long the call may take. Called before its handler starts.
	 * @param budgetNanos nanoseconds from its arrival
	 * @param queueNanos nanoseconds that it waited for its executor
	 * @param marginNanos how long before its deadline it is answered
	 */
	public void limit(long budgetNanos, long queueNanos, long marginNanos) {
		this.budgetNanos = budgetNanos;
		this.queueNanos = queueNanos;
		this.marginNanos = marginNanos;
	}

	/**
	 * Time that the call may take.
	 * @return nanoseconds from its arrival; {@link CallRecord#UNLIMITED} for no bound of
	 * ours
	 */
	public long budgetNanos() {
		return this.budgetNanos;
	}

	/**
	 * Time that the call waited for its executor.
	 * @return nanoseconds
	 */
	public long queueNanos() {
		return this.queueNanos;
	}

	boolean isLimited() {
		return this.budgetNanos != CallRecord.UNLIMITED;
	}

	/**
	 * Whether it is time to answer that the time is up.
	 */
	boolean isDue() {
		return isLimited() && this.budgetNanos - this.record.elapsedNanos() <= this.marginNanos;
	}

	/**
	 * The call reached the interceptors.
	 * @param observedBudgetNanos what mode {@code observe} would allow the call, in
	 * nanoseconds; {@link CallRecord#UNLIMITED} for no bound
	 */
	public void started(long observedBudgetNanos) {
		this.observedBudgetNanos = observedBudgetNanos;
		method().counts().started();
		if (((int) PROGRESS.getAndBitwiseOr(this, STARTED) & ENDED) != 0) {
			countEnd();
		}
	}

	/**
	 * The call as its handler will see it. It may have ended before anybody could.
	 */
	void handledAs(PolicyCall<?, ?> call) {
		this.policyCall = call;
		if (this.record.hasEnded()) {
			call.cancelContext();
		}
	}

	void guardedAs(ServerCall<?, ?> outermost) {
		this.outermost = outermost;
	}

	/**
	 * Answers the call past all interceptors, where one of them broke the way out. The
	 * first answer wins.
	 */
	void answer(Status status, Metadata trailers) {
		ServerCall<?, ?> call = this.outermost;
		if (call != null) {
			call.close(status, trailers);
		}
	}

	/**
	 * Closes the call for somebody. Under the lock.
	 * @return {@code false} if it was closed before
	 */
	@GuardedBy("this")
	boolean close(Closer by) {
		if (this.closer != Closer.NOBODY) {
			return false;
		}
		this.closer = by;
		if (by != Closer.HANDLER) {
			this.record.end(by == Closer.DEADLINE);
		}
		return true;
	}

	/**
	 * Whether an answer is on its way.
	 */
	boolean isClosed() {
		return this.closer != Closer.NOBODY;
	}

	/**
	 * Whether the call was closed for its handler, which does not know of it.
	 */
	boolean isClosedByUs() {
		Closer by = this.closer;
		return by == Closer.DEADLINE || by == Closer.DRAIN;
	}

	/**
	 * Whether the call was closed because its server goes away.
	 */
	boolean isClosedByDrain() {
		return this.closer == Closer.DRAIN;
	}

	/**
	 * The answer is about to be sent. Under the lock.
	 * @return {@code false} if one was sent before
	 */
	@GuardedBy("this")
	boolean send() {
		if (this.sent) {
			return false;
		}
		this.sent = true;
		// Before anybody can see the end of the stream.
		this.record.answer();
		return true;
	}

	boolean isSent() {
		return this.sent;
	}

	/**
	 * Whether the call ended without an answer.
	 */
	boolean isAbandoned() {
		return !this.sent && hasEnded();
	}

	/**
	 * The call is about to be answered that its time is up.
	 */
	void exceeded() {
		this.exceeded = true;
	}

	/**
	 * A message is on its way under the lock, or no longer is.
	 */
	void sentBy(@Nullable Thread thread) {
		this.sender = thread;
	}

	boolean isSentBy(Thread thread) {
		return this.sender == thread;
	}

	/**
	 * Drops a message of a call that is over. Under the lock.
	 * @return whether its handler must be stopped: it goes on producing on the thread on
	 * which it is being told something, and so cannot be told that its call was cancelled
	 */
	@GuardedBy("this")
	boolean drop(MethodType type) {
		this.dropped++;
		return this.dropped > TOLERATED && !type.serverSendsOneMessage()
				&& this.callbackThread == Thread.currentThread();
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
	 * Asks to be told once the call is over; one listener a call. A call is over when its
	 * stream has ended, in whatever way, and none of the handler's callbacks is running
	 * any more.
	 * @param listener told once
	 */
	public void whenOver(OverListener listener) {
		CallOver told = new CallOver(listener, this.callbackThread == Thread.currentThread());
		this.over = told;
		// The stream may have ended before anybody could see the listener.
		if (hasEnded()) {
			told.streamEnded(this.endCode, elapsedAtEndNanos());
		}
	}

	/**
	 * Nobody may have asked when the stream ended: then it ended just now.
	 */
	private long elapsedAtEndNanos() {
		return (this.elapsedAtEndNanos != 0) ? this.elapsedAtEndNanos : this.record.elapsedNanos();
	}

	/**
	 * Prepares the call's Context for listeners that come and go. Each time the last one
	 * goes, grpc-java leaves an entry behind at the parent of the Context (decision 10);
	 * this makes one stay. Cheap when repeated.
	 */
	public void anchor() {
		PolicyCall<?, ?> call = this.policyCall;
		if (call != null && !this.anchored) {
			this.anchored = true;
			call.listen(ANCHOR);
		}
	}

	/**
	 * Keeps the timer that ends the call, unless the call has ended meanwhile.
	 */
	void arm(Timer timer, Runnable answer) {
		keep(timer.scheduleAt(this.record.at(this.budgetNanos - this.marginNanos), this.record.ticker(), answer));
	}

	/**
	 * Lets the timer know a call that no time ends, unless it has ended meanwhile.
	 */
	void armForDrain(Timer timer, Runnable answer) {
		keep(timer.schedule(FAR_NANOS, answer));
	}

	private void keep(Timeout timeout) {
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
	 * The call ended without an answer of its handler: stops its work, on threads that
	 * may be blocked.
	 */
	void stopWork() {
		this.cancellations.execute(() -> {
			this.record.tell();
			PolicyCall<?, ?> call = this.policyCall;
			if (call != null) {
				call.cancelContext();
			}
		});
	}

	/**
	 * The stream ended. Called once, by the transport.
	 */
	@Override
	public void streamClosed(Status status) {
		this.endCode = status.getCode();
		if (this.over != null || this.observedBudgetNanos != CallRecord.UNLIMITED || (this.progress & STARTED) == 0) {
			this.elapsedAtEndNanos = this.record.elapsedNanos(); // for those who ask
		}
		if (((int) PROGRESS.getAndBitwiseOr(this, ENDED) & STARTED) != 0) {
			countEnd();
		}
		CallOver told = this.over;
		if (told != null) {
			told.streamEnded(this.endCode, elapsedAtEndNanos());
		}
		disarm();
		if (!this.record.isAnswered()) {
			endWork(status.getCode());
		}
	}

	/**
	 * A handler that answered has said so to the guard. From here, since grpc-java tells
	 * of a caller's leaving on the call's executor, whose threads may all wait for what
	 * this is to stop.
	 */
	private void endWork(Status.Code code) {
		if (this.outermost == null && !ENDS.contains(code)) {
			this.record.answer();
		}
		else if (this.record.end(this.record.remainingNanos() <= this.marginNanos)) {
			// Who leaves when the answer is due has no time left either.
			stopWork();
		}
	}

	/**
	 * Whether the stream of the call has ended, in whatever way.
	 * @return {@code true} once it has
	 */
	public boolean hasEnded() {
		return (this.progress & ENDED) != 0;
	}

	private void countEnd() {
		ServedMethod known = method();
		known.counts().ended(this.endCode);
		if (this.observedBudgetNanos != CallRecord.UNLIMITED && elapsedAtEndNanos() > this.observedBudgetNanos) {
			known.decided(Reason.DEADLINE_EXCEEDED, false);
		}
		else if (this.exceeded && this.endCode == Status.Code.DEADLINE_EXCEEDED) {
			// Otherwise the caller left before the answer did.
			known.decided(Reason.DEADLINE_EXCEEDED, true);
		}
	}

	/**
	 * The hop further down that spent the budget.
	 * @return the hop; {@code null} if none did
	 */
	public @Nullable SpentBy spentBy() {
		return this.spentBy;
	}

	/**
	 * A hop further down has spent the budget.
	 * @param spentBy the hop
	 */
	public void spentBy(SpentBy spentBy) {
		this.spentBy = spentBy;
	}

	/** Who closes a call, as the policy sees it. */
	enum Closer {

		NOBODY, HANDLER, DEADLINE, DRAIN

	}

	/**
	 * Is told that a call is over.
	 */
	@FunctionalInterface
	public interface OverListener {

		/**
		 * The call is over. Called on the call's own thread or on a transport thread:
		 * must not block.
		 * @param code how its stream ended
		 * @param elapsedNanos nanoseconds from its arrival to the end of its stream
		 */
		void over(Status.Code code, long elapsedNanos);

	}

}
