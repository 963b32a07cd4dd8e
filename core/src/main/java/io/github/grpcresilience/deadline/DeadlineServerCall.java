package io.github.grpcresilience.deadline;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.CallScope;
import io.github.grpcresilience.method.KnownMethod;
import io.github.grpcresilience.status.Causes;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.status.StatusDetails;
import io.github.grpcresilience.time.Timer;

/**
 * A call with a deadline. The handler and the timer race to close it; the first one wins,
 * under the call's lock, and what the other still sends is dropped. When the timer wins,
 * the handler's Context is cancelled afterwards, on an executor of its own, because its
 * listeners are the application's.
 */
final class DeadlineServerCall<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> {

	private enum Closed {

		NOT, BY_HANDLER, BY_DEADLINE

	}

	private final ServerCallState state;

	private final KnownMethod method;

	private final String service;

	private final long queueNanos;

	private final long budgetNanos;

	private final long marginNanos;

	/** Written under the lock that is the state's monitor. */
	private volatile Closed closed = Closed.NOT;

	DeadlineServerCall(ServerCall<ReqT, RespT> call, ServerCallState state, KnownMethod method, String service,
			long queueNanos, long budgetNanos, long marginNanos) {
		super(call);
		this.state = state;
		this.method = method;
		this.service = service;
		this.queueNanos = queueNanos;
		this.budgetNanos = budgetNanos;
		this.marginNanos = marginNanos;
	}

	/**
	 * Nanoseconds to the deadline.
	 */
	long remainingNanos() {
		return this.budgetNanos - this.state.elapsedNanos();
	}

	CallScope scope() {
		return this.state.scope();
	}

	void arm(Timer timer) {
		this.state.arm(timer.schedule(remainingNanos() - this.marginNanos, this::expire), this.marginNanos);
	}

	/**
	 * Runs on an executor that is never the timer's thread, or on the call's own.
	 */
	private void expire() {
		try {
			answer();
		}
		finally {
			// Also where an interceptor outside of this one failed to pass the answer on.
			if (isAnswered()) {
				this.state.stopWork();
			}
		}
	}

	/**
	 * Cancels what the handler began, if the deadline has ended the call.
	 */
	void cancelContext() {
		this.state.cancelContext();
	}

	/**
	 * Answers the call if its time is up.
	 * @return whether the call is answered, now or before
	 */
	boolean answerIfDue() {
		if (isDue()) {
			answer();
		}
		return isAnswered();
	}

	/**
	 * Answers the call, and cancels what its handler began, if its time is up.
	 * @return whether the call is answered, now or before
	 */
	boolean endIfDue() {
		if (isDue()) {
			expire();
		}
		return isAnswered();
	}

	private boolean isDue() {
		return this.closed == Closed.NOT && remainingNanos() <= this.marginNanos;
	}

	private void answer() {
		if (this.state.hasEnded()) {
			// The caller left first, or its own timer ran out while the call was queued.
			markAnswered();
			return;
		}
		Metadata trailers = new Metadata();
		Status status = exceeded(trailers, this.state.spentBy());
		closeBy(Closed.BY_DEADLINE, status, trailers, true);
	}

	private void markAnswered() {
		synchronized (this.state) {
			if (this.closed == Closed.NOT) {
				this.closed = Closed.BY_DEADLINE;
				this.state.record().end(true);
			}
		}
	}

	private Status exceeded(Metadata trailers, @Nullable SpentBy spentBy) {
		return DeadlineDetails.exceededOnServer(trailers, this.service, this.method.name(), this.budgetNanos,
				this.queueNanos, this.state.elapsedNanos(), spentBy);
	}

	private void closeBy(Closed who, Status status, Metadata trailers, boolean exceeded) {
		synchronized (this.state) {
			if (this.closed != Closed.NOT) {
				return;
			}
			this.closed = who;
			if (exceeded) {
				this.state.exceeded();
			}
			if (who == Closed.BY_DEADLINE) {
				this.state.record().end(true);
			}
			try {
				super.close(status, trailers);
			}
			catch (Throwable ex) {
				this.state.answer(status, trailers);
				throw ex;
			}
		}
		this.state.disarm();
	}

	/**
	 * Takes an exception of the handler if it says no more than that the call is over:
	 * the call is answered already, work ended by its share of this budget, or it was
	 * cancelled.
	 * @return {@code false} if the exception is somebody else's
	 */
	boolean absorbs(Exception thrown) {
		if (isAnswered()) {
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
			close(status, (trailers != null) ? trailers : new Metadata());
			return true;
		}
		return false;
	}

	private static boolean endedByBudget(Metadata trailers) {
		return StatusDetails.find(trailers, Reason.DEADLINE_EXCEEDED) != null
				|| StatusDetails.find(trailers, Reason.BUDGET_EXHAUSTED) != null;
	}

	@Override
	public void sendHeaders(Metadata headers) {
		synchronized (this.state) {
			if (this.closed == Closed.NOT) {
				super.sendHeaders(headers);
			}
		}
	}

	@Override
	public void sendMessage(RespT message) {
		boolean stop;
		synchronized (this.state) {
			if (this.closed == Closed.NOT) {
				super.sendMessage(message);
				return;
			}
			stop = isAnswered() && this.state.drop(getMethodDescriptor().getType());
		}
		if (stop) {
			throw CallGuard.over();
		}
	}

	/**
	 * Closes for the handler. A DEADLINE_EXCEEDED that it only passes on becomes this
	 * hop's own answer, which names the hop that spent the budget.
	 */
	@Override
	public void close(Status status, Metadata trailers) {
		if (status.getCode() == Status.Code.DEADLINE_EXCEEDED && endedByBudget(trailers)) {
			Metadata own = new Metadata();
			own.merge(trailers);
			closeBy(Closed.BY_HANDLER, exceeded(own, SpentBy.find(trailers)), own, true);
		}
		else {
			closeBy(Closed.BY_HANDLER, status, trailers, false);
		}
	}

	@Override
	public boolean isCancelled() {
		return isAnswered() || super.isCancelled();
	}

	@Override
	public boolean isReady() {
		return this.closed == Closed.NOT && super.isReady();
	}

	boolean isAnswered() {
		return this.closed == Closed.BY_DEADLINE;
	}

}
