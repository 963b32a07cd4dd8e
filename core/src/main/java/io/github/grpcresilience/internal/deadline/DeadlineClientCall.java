package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.CallEndedException;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallRecord.Registration;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.call.SpentBy;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.ReceivedFailure;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * Counts a call that is made, and says why it ended where only this side knows: when the
 * client's own timer ended it.
 */
final class DeadlineClientCall<ReqT, RespT> extends SimpleForwardingClientCall<ReqT, RespT> {

	private final CalledMethod method;

	private final String client;

	private final ClientBudget budget;

	private final Deadline.Ticker ticker;

	private final Context context;

	/** The deadline of the call as it was sent; null where there is none of ours. */
	private final @Nullable Deadline limit;

	/** When the call was made; not known where there is a limit. */
	private final long askedNanos;

	/**
	 * The call whose end ends this one; null if gRPC's Context says it, or nothing does.
	 */
	private final @Nullable CallRecord watched;

	/** The call that this one is made for; null for none. */
	private final @Nullable CallRecord owner;

	private final Executor executor;

	/** Written when the call has started, read when it closes. */
	private volatile @Nullable Registration registration;

	private volatile boolean closed;

	/** Written before the call is cancelled because the one that it is made for ended. */
	private volatile boolean cancelled;

	DeadlineClientCall(ClientCall<ReqT, RespT> call, CalledMethod method, String client, ClientBudget budget,
			Deadline.Ticker ticker, @Nullable Deadline limit, long askedNanos, Context context,
			@Nullable CallRecord watched, @Nullable CallRecord owner, Executor executor) {
		super(call);
		this.method = method;
		this.client = client;
		this.budget = budget;
		this.ticker = ticker;
		this.context = context;
		this.limit = limit;
		this.askedNanos = askedNanos;
		this.watched = watched;
		this.owner = owner;
		this.executor = executor;
	}

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		super.start(new Ending(listener), headers);
		// Counted once grpc-java has taken the listener: from then on it is closed once.
		this.method.counts().started();
		if (this.watched != null) {
			Registration own = this.watched.listen(this::callEnded);
			this.registration = own;
			if (this.closed) {
				own.close();
			}
		}
	}

	/**
	 * Interceptors of the application may block, so they are not called here.
	 */
	private void callEnded(CallRecord call) {
		this.cancelled = true;
		this.executor
			.execute(() -> cancel("the call that it was made for has ended", new CallEndedException(call, null)));
	}

	@Override
	public void sendMessage(ReqT message) {
		try {
			super.sendMessage(message);
		}
		catch (IllegalStateException ex) {
			throwUnlessCancelled(ex);
		}
	}

	@Override
	public void halfClose() {
		try {
			super.halfClose();
		}
		catch (IllegalStateException ex) {
			throwUnlessCancelled(ex);
		}
	}

	/**
	 * gRPC takes it for a mistake to go on with a call that was cancelled, and whoever
	 * goes on here does not know that it was: the listener tells.
	 */
	private void throwUnlessCancelled(IllegalStateException ex) {
		if (!this.cancelled) {
			throw ex;
		}
	}

	private void forget() {
		this.closed = true;
		Registration own = this.registration;
		if (own != null) {
			own.close();
		}
	}

	private long elapsedNanos() {
		return (this.limit != null) ? this.budget.nanos() - this.limit.timeRemaining(TimeUnit.NANOSECONDS)
				: this.ticker.nanoTime() - this.askedNanos;
	}

	private Metadata explain(Status status, Metadata trailers) {
		Metadata explained = trailers;
		if (!StatusDetails.isPresent(trailers) && isOver()) {
			explained = new Metadata();
			explained.merge(trailers);
			DeadlineDetails.exceededOnClient(explained, status, this.client, this.method.name(), this.budget.nanos(),
					elapsedNanos());
			this.method.decided(Reason.DEADLINE_EXCEEDED, true);
		}
		if (this.budget.inherited()) {
			tellCaller(explained);
		}
		return explained;
	}

	private boolean isOver() {
		return elapsedNanos() >= this.budget.nanos() || this.context.isCancelled()
				|| (this.watched != null && this.watched.hasEnded());
	}

	/**
	 * What the end of the call did that this one is made for says nothing of others, who
	 * may wait for it too.
	 */
	private Status attribute(Status status) {
		CallRecord made = this.owner;
		boolean ended = made != null && switch (status.getCode()) {
			case DEADLINE_EXCEEDED -> this.budget.inherited();
			case CANCELLED -> made.hasEnded();
			default -> false;
		};
		return (made != null && ended) ? status.withCause(new CallEndedException(made, status.getCause())) : status;
	}

	private void tellCaller(Metadata trailers) {
		ServedCall served = ServedCall.KEY.get(this.context);
		SpentBy spentBy = (served != null) ? SpentBy.find(trailers) : null;
		if (served != null && spentBy != null) {
			served.spentBy(spentBy);
		}
	}

	private static boolean isKeepaliveRejected(Status status) {
		String description = status.getDescription();
		return (status.getCode() == Status.Code.UNAVAILABLE || status.getCode() == Status.Code.RESOURCE_EXHAUSTED)
				&& description != null && description.contains("too_many_pings");
	}

	private final class Ending extends SimpleForwardingClientCallListener<RespT> {

		Ending(Listener<RespT> listener) {
			super(listener);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			DeadlineClientCall<ReqT, RespT> call = DeadlineClientCall.this;
			call.forget();
			call.method.counts().ended(status.getCode());
			if (status.isOk()) {
				super.onClose(status, trailers);
				return;
			}
			if (isKeepaliveRejected(status)) {
				call.method.keepaliveRejected();
			}
			Metadata explained = (status.getCode() == Status.Code.DEADLINE_EXCEEDED) ? explain(status, trailers)
					: trailers;
			super.onClose(ReceivedFailure.mark(attribute(status), call.method, explained), explained);
		}

	}

}
