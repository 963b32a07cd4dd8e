package io.github.grpcresilience.internal.call;

import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.InternalServer;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.ServedCall.Closer;
import io.github.grpcresilience.internal.status.Causes;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.internal.time.Timer;
import io.github.grpcresilience.status.Reason;

/**
 * A served call as its handler sees it. The handler and the timer race to close it; the
 * first one wins, under the call's lock, and what the other still sends is dropped. The
 * timer comes when the time is up, or when the server goes away. When it wins, the
 * handler's Context is cancelled afterwards, on an executor of its own, because its
 * listeners are the application's.
 *
 * @param <ReqT> type of the requests
 * @param <RespT> type of the responses
 */
public final class PolicyCall<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> implements Runnable {

	private final ServedCall served;

	private final Metadata headers;

	private final DeadlineAnswer deadline;

	private final HandlerFailures failures;

	/** Where the handler runs; null if that is where the call came from. */
	private final @Nullable CancellableContext context;

	/** What was given to {@code onError} may be thrown as well. */
	private volatile @Nullable Throwable failure;

	/**
	 * Wraps a call.
	 * @param call the call as it came
	 * @param served what is known of it
	 * @param headers what the caller sent
	 * @param deadline what callers are told when their time is up
	 * @param failures what callers are told when the handler fails
	 * @param context where the handler runs, to be cancelled when the call ends;
	 * {@code null} if that is where the call came from
	 */
	public PolicyCall(ServerCall<ReqT, RespT> call, ServedCall served, Metadata headers, DeadlineAnswer deadline,
			HandlerFailures failures, @Nullable CancellableContext context) {
		super(call);
		this.served = served;
		this.headers = headers;
		this.deadline = deadline;
		this.failures = failures;
		this.context = context;
		served.handledAs(this);
	}

	/**
	 * What is known of the call.
	 * @return the call
	 */
	public ServedCall served() {
		return this.served;
	}

	/**
	 * What the caller sent.
	 * @return the headers
	 */
	public Metadata headers() {
		return this.headers;
	}

	/**
	 * What the call failed with first, before anybody made something else of it.
	 * @return what was thrown or given to {@code onError}; {@code null} for nothing
	 */
	public @Nullable Throwable failure() {
		return this.failure;
	}

	/**
	 * The call fails.
	 * @param thrown what was thrown; the first one is kept
	 */
	public void failsWith(Throwable thrown) {
		if (this.failure == null) {
			this.failure = thrown;
		}
	}

	/**
	 * Whether nobody can be told anything any more.
	 * @return {@code true} once the call is closed or has ended
	 */
	public boolean isOver() {
		return this.served.isClosed() || isCancelled();
	}

	/**
	 * Starts the handler, in the scope of the call and in its Context.
	 * @param next the handler
	 * @return what tells it of the call
	 */
	public ServerCall.Listener<ReqT> start(ServerCallHandler<ReqT, RespT> next) {
		Context previous = attach();
		CallScope outer = this.served.scope().enter();
		try {
			return new PolicyListener<>(next.startCall(this, this.headers), this);
		}
		catch (Throwable ex) {
			fail(ex);
			return new ServerCall.Listener<>() {
			};
		}
		finally {
			CallScope.leave(outer);
			detach(previous);
		}
	}

	@Nullable Context attach() {
		return (this.context != null) ? this.context.attach() : null;
	}

	void detach(@Nullable Context previous) {
		if (this.context != null && previous != null) {
			this.context.detach(previous);
		}
	}

	void listen(Context.CancellationListener listener) {
		if (this.context != null) {
			this.context.addListener(listener, Runnable::run);
		}
	}

	/**
	 * Cancels what the handler began, with the cause that tells a deadline from a caller
	 * that left. Cancelling twice does nothing.
	 */
	void cancelContext() {
		if (this.context != null) {
			this.context.cancel(this.served.record().isTimedOut()
					? new TimeoutException("the call's deadline ended before its work did")
					: Status.CANCELLED
						.withDescription(
								this.served.isClosedByDrain() ? "the server is shutting down" : "the caller left")
						.asRuntimeException());
		}
	}

	/**
	 * Answers the call when its time is up.
	 * @param timer runs the answer, on an executor that may take the call's lock
	 */
	public void answerInTime(Timer timer) {
		this.served.arm(timer, this);
	}

	/**
	 * Lets a call that no time ends be answered when its server goes away.
	 * @param timer runs the answer, on an executor that may take the call's lock
	 */
	public void answerWhenDrained(Timer timer) {
		this.served.armForDrain(timer, this);
	}

	/**
	 * Answers a call that came too late to be begun.
	 * @return whether the call must not be begun
	 */
	public boolean isTurnedAway() {
		Draining draining = this.deadline.draining();
		if (!draining.isOn() || !draining.refuses(this.served, server())) {
			return false;
		}
		if (!this.served.isClosed() && !this.served.hasEnded()) {
			closeDrained(Closer.DRAIN);
		}
		return true;
	}

	/**
	 * Whether a server serves the call.
	 * @param server the server
	 * @return {@code true} if it came to this one
	 */
	public boolean isServedBy(Server server) {
		return server() == server;
	}

	private @Nullable Server server() {
		return (this.context != null) ? InternalServer.SERVER_CONTEXT_KEY.get(this.context) : null;
	}

	/**
	 * The time is up, or the server goes away: answers, and stops what the handler began.
	 * Runs on an executor that is never the timer's thread, or on the call's own.
	 */
	@Override
	public void run() {
		try {
			answer();
		}
		finally {
			// Also where an interceptor outside of this one failed to pass the answer on.
			if (this.served.isClosedByUs()) {
				this.served.stopWork();
			}
		}
	}

	/**
	 * Answers that the time is up, where no handler has begun.
	 */
	public void answer() {
		if (this.served.isClosed()) {
			return;
		}
		if (this.served.hasEnded()) {
			// The caller left first, or its own timer ran out while the call was queued.
			synchronized (this.served) {
				this.served.close(Closer.DEADLINE);
			}
			return;
		}
		Draining draining = this.deadline.draining();
		if (draining.isOn() && draining.ends(server())) {
			closeDrained(Closer.DRAIN);
			return;
		}
		Metadata trailers = new Metadata();
		Status status = this.deadline.exceeded(this.served, this.served.spentBy(), trailers);
		closeBy(Closer.DEADLINE, status, trailers, true);
	}

	/**
	 * Answers the call, and cancels what its handler began, if its time is up.
	 * @return whether the deadline has closed the call, now or before
	 */
	boolean endIfDue() {
		if (!this.served.isClosed() && this.served.isDue()) {
			run();
		}
		return this.served.isClosedByUs();
	}

	private void closeDrained(Closer who) {
		Metadata trailers = new Metadata();
		Status status = this.deadline.draining().answer(this.served, trailers);
		if (closeBy(who, status, trailers, false)) {
			this.served.method().decided(Reason.DRAINING, true);
		}
	}

	/**
	 * Whether a handler fails because its thread was interrupted while the application
	 * ends, which says nothing of the call.
	 */
	private boolean isInterrupted(@Nullable Throwable thrown, Status.@Nullable Code code) {
		return this.deadline.draining().isOn() && (Causes.isInterruption(thrown)
				|| (code == Status.Code.CANCELLED && Thread.currentThread().isInterrupted()));
	}

	private boolean closeBy(Closer who, Status status, Metadata trailers, boolean exceeded) {
		synchronized (this.served) {
			if (!this.served.close(who)) {
				return false;
			}
			if (exceeded) {
				this.served.exceeded();
			}
			try {
				super.close(status, trailers);
			}
			catch (Throwable ex) {
				this.served.answer(status, trailers);
				throw ex;
			}
		}
		this.served.disarm();
		return true;
	}

	@Override
	public void close(Status status, Metadata trailers) {
		if (status.isOk()) {
			pass(status, trailers);
		}
		else if (isInterrupted(status.getCause(), status.getCode())) {
			closeDrained(Closer.HANDLER);
		}
		else {
			this.failures.close(this, status, trailers);
		}
	}

	/**
	 * Closes for the handler, with what shall be told. A DEADLINE_EXCEEDED that it only
	 * passes on becomes this hop's own answer, which names the hop that spent the budget.
	 * @param status the status
	 * @param trailers the trailers
	 */
	public void pass(Status status, Metadata trailers) {
		if (status.getCode() == Status.Code.DEADLINE_EXCEEDED && this.served.isLimited() && endedByBudget(trailers)) {
			Metadata own = new Metadata();
			own.merge(trailers);
			Status answer = this.deadline.exceeded(this.served, SpentBy.find(trailers), own);
			closeBy(Closer.HANDLER, answer, own, true);
		}
		else {
			closeBy(Closer.HANDLER, status, trailers, false);
		}
	}

	/**
	 * Answers what the handler has thrown.
	 */
	void fail(Throwable thrown) {
		if (isInterrupted(thrown, null)) {
			closeDrained(Closer.HANDLER);
			return;
		}
		try {
			this.failures.failed(this, thrown);
		}
		catch (Exception ex) {
			if (!absorbs(ex)) {
				throw ex;
			}
		}
	}

	/**
	 * Takes an exception of the handler if it says no more than that the call is over:
	 * the call is answered already, work ended by its share of this budget, or it was
	 * cancelled.
	 */
	private boolean absorbs(Exception thrown) {
		if (this.served.isClosedByUs()) {
			return true;
		}
		Throwable known = Causes.findStatus(thrown);
		Status status = (known != null) ? Causes.statusOf(known) : null;
		if (known == null || status == null) {
			return false;
		}
		Metadata trailers = Causes.trailersOf(known);
		boolean outOfTime = status.getCode() == Status.Code.DEADLINE_EXCEEDED && trailers != null
				&& endedByBudget(trailers);
		if (outOfTime || status.getCode() == Status.Code.CANCELLED) {
			pass(status, (trailers != null) ? trailers : new Metadata());
			return true;
		}
		return false;
	}

	private static boolean endedByBudget(Metadata trailers) {
		return StatusDetails.find(trailers, Reason.DEADLINE_EXCEEDED) != null
				|| StatusDetails.find(trailers, Reason.BUDGET_EXHAUSTED) != null;
	}

	boolean passes(Object message) {
		return this.failures.passes(this, message);
	}

	@Override
	public void sendHeaders(Metadata headers) {
		synchronized (this.served) {
			if (!this.served.isClosed()) {
				super.sendHeaders(headers);
			}
		}
	}

	@Override
	public void sendMessage(RespT message) {
		boolean stop;
		synchronized (this.served) {
			if (!this.served.isClosed()) {
				this.served.sentBy(Thread.currentThread());
				try {
					super.sendMessage(message);
				}
				finally {
					this.served.sentBy(null);
				}
				return;
			}
			stop = this.served.isClosedByUs() && this.served.drop(getMethodDescriptor().getType());
		}
		if (stop) {
			throw CallGuard.over();
		}
	}

	@Override
	public boolean isCancelled() {
		return this.served.isClosedByUs() || super.isCancelled();
	}

	@Override
	public boolean isReady() {
		return !this.served.isClosed() && super.isReady();
	}

}
