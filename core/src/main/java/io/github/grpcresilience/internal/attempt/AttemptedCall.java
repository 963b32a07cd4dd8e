package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.TimeUnit;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.policy.AttemptPolicy;
import io.github.grpcresilience.internal.status.PushBack;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * A call that may be attempted more than once. What the caller does is recorded and fed
 * to every attempt; the caller sees one attempt only, the one that wins: a unary one when
 * it closes, a streaming one when its response headers come.
 *
 * <p>
 * All state is guarded by the monitor of the call, under which no code of others runs; so
 * is that of its parts: {@link CallerActions}, {@link AttemptRace}, {@link Attempt},
 * {@link Alarm}. Whoever changes it takes, in the same entry, the first step that is due
 * for an attempt, and performs it outside (decision 20). The {@link Delivery} is called
 * by the winner's callbacks, or, while no attempt is in flight, by whoever ends the
 * {@link Wait}; never by two threads at a time.
 */
final class AttemptedCall<ReqT, RespT> extends ClientCall<ReqT, RespT> {

	private final MethodAttempts method;

	private final MethodDescriptor<ReqT, RespT> descriptor;

	private final CallOptions options;

	private final Channel channel;

	private final Context context;

	private final boolean unary;

	/** Whether whoever waits for this call has itself been asked again. */
	private final boolean chained;

	private final Delivery<RespT> delivery;

	private final CallerActions<ReqT> actions;

	@GuardedBy("this")
	private final AttemptRace<ReqT, RespT> race;

	/** Written before the first attempt is started. */
	private long startedNanos;

	AttemptedCall(MethodAttempts method, MethodDescriptor<ReqT, RespT> descriptor, CallOptions options, Channel channel,
			Context context, boolean chained) {
		this.method = method;
		this.descriptor = descriptor;
		this.options = options;
		this.channel = channel;
		this.context = context;
		this.chained = chained;
		this.unary = descriptor.getType() == MethodType.UNARY;
		this.delivery = new Delivery<>(this);
		this.actions = new CallerActions<>();
		this.race = new AttemptRace<>(newAttempt(0));
	}

	Attempt<ReqT, RespT> newAttempt(int index) {
		CallOptions own = this.delivery.executing(this.method.watched(this.options, index), index);
		boolean shortened = this.unary && isShortened();
		if (shortened) {
			own = this.method.shortened(own);
		}
		return new Attempt<>(this, this.actions,
				this.method.client().inner().interceptCall(this.descriptor, own, this.channel), index, shortened);
	}

	/**
	 * Whether attempts have a timeout that comes before the end of the call.
	 */
	boolean isShortened() {
		long timeout = this.method.attemptTimeoutNanos();
		return timeout != AttemptPolicy.NO_TIMEOUT && timeout < remainingNanos();
	}

	long remainingNanos() {
		return Math.min(remainingNanos(this.options.getDeadline()), remainingNanos(this.context.getDeadline()));
	}

	private static long remainingNanos(@Nullable Deadline deadline) {
		return (deadline != null) ? deadline.timeRemaining(TimeUnit.NANOSECONDS) : Long.MAX_VALUE;
	}

	boolean isUnary() {
		return this.unary;
	}

	MethodAttempts method() {
		return this.method;
	}

	MethodDescriptor<ReqT, RespT> descriptor() {
		return this.descriptor;
	}

	CallOptions options() {
		return this.options;
	}

	Channel channel() {
		return this.channel;
	}

	Context context() {
		return this.context;
	}

	Delivery<RespT> delivery() {
		return this.delivery;
	}

	@GuardedBy("this")
	boolean isCancelled() {
		return this.actions.isCancelled();
	}

	@GuardedBy("this")
	AttemptRace<ReqT, RespT> race() {
		return this.race;
	}

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		Attempt<ReqT, RespT> claimed;
		synchronized (this) {
			if (this.actions.isStarted()) {
				throw new IllegalStateException("already started");
			}
			this.delivery.to(listener);
			this.actions.start(headers, !this.chained && this.method.rules().maxAttempts() > 1);
			this.startedNanos = this.method.started();
			claimed = this.race.claim();
		}
		feed(claimed);
		this.method.client().budget().called();
	}

	@Override
	public void request(int numMessages) {
		if (this.unary) {
			return; // the answer is held back anyway, and each attempt asks for it
		}
		Attempt<ReqT, RespT> won;
		Attempt<ReqT, RespT> claimed = null;
		synchronized (this) {
			won = this.race.winner();
			if (won == null) {
				this.actions.request(numMessages);
				claimed = this.race.claim();
			}
		}
		if (won != null) {
			won.call().request(numMessages);
		}
		feed(claimed);
	}

	@Override
	public void sendMessage(ReqT message) {
		Attempt<ReqT, RespT> claimed;
		synchronized (this) {
			this.actions.send(message);
			claimed = this.race.claim();
		}
		feed(claimed);
	}

	@Override
	public void halfClose() {
		Attempt<ReqT, RespT> claimed;
		synchronized (this) {
			this.actions.halfClose();
			claimed = this.race.claim();
		}
		feed(claimed);
		awaitHedge();
	}

	@Override
	public void setMessageCompression(boolean enabled) {
		Attempt<ReqT, RespT> claimed;
		synchronized (this) {
			this.actions.compress(enabled);
			claimed = this.race.claim();
		}
		feed(claimed);
	}

	@Override
	public void cancel(@Nullable String message, @Nullable Throwable cause) {
		Attempt<ReqT, RespT> unstarted = null;
		Attempt<ReqT, RespT> claimed = null;
		Wait<ReqT, RespT> wait = null;
		Status status;
		synchronized (this) {
			status = this.actions.cancel(message, cause);
			if (this.actions.isStarted()) {
				this.race.giveUpAllBut(null);
				wait = this.race.endWait();
				claimed = this.race.claim();
			}
			else {
				unstarted = this.race.seen();
			}
		}
		if (unstarted != null) {
			unstarted.call().cancel(message, cause);
			return;
		}
		feed(claimed);
		if (wait != null) {
			wait.ended(status);
		}
	}

	@Override
	public boolean isReady() {
		Attempt<ReqT, RespT> current;
		synchronized (this) {
			current = this.race.seen();
			if (!current.isOpen()) {
				return false;
			}
		}
		return current.call().isReady();
	}

	@Override
	public Attributes getAttributes() {
		return seen().call().getAttributes();
	}

	private synchronized Attempt<ReqT, RespT> seen() {
		return this.race.seen();
	}

	/**
	 * Performs the step that was taken, and whatever is due after it, of any attempt.
	 * @param claimed {@code null} if nothing was taken
	 */
	private void feed(@Nullable Attempt<ReqT, RespT> claimed) {
		Attempt<ReqT, RespT> attempt = claimed;
		while (attempt != null) {
			attempt.perform();
			synchronized (this) {
				attempt = this.race.claimAfter(attempt);
			}
		}
	}

	/**
	 * Performs the step that was taken, and whatever is due after it, of one attempt.
	 */
	void feedOne(Attempt<ReqT, RespT> claimed) {
		boolean due = true;
		while (due) {
			claimed.perform();
			synchronized (this) {
				due = claimed.advance();
			}
		}
	}

	/**
	 * Makes an attempt the one that the caller sees.
	 * @return {@code false} if there is another one
	 */
	boolean win(Attempt<ReqT, RespT> attempt) {
		synchronized (this) {
			if (!this.race.isOpen() || attempt.isExpired()) {
				return this.race.winner() == attempt;
			}
			this.race.win(attempt);
		}
		answered(attempt);
		return true;
	}

	/**
	 * An attempt has answered, and the others are not needed any more.
	 */
	private void answered(Attempt<ReqT, RespT> attempt) {
		if (attempt.index() > 0) {
			this.method.method().attemptCounts().rescued();
		}
		feedOthers();
		this.method.answered(this.startedNanos);
	}

	/**
	 * Cancels those that were given up. Nothing else is due when an attempt has ended.
	 */
	private void feedOthers() {
		if (this.method.rules().overlap()) {
			Attempt<ReqT, RespT> claimed;
			synchronized (this) {
				claimed = this.race.claim();
			}
			feed(claimed);
		}
	}

	/**
	 * Whether what an attempt says of itself holds for the call.
	 */
	synchronized boolean isSeen(Attempt<ReqT, RespT> attempt) {
		return !this.race.isOver() && this.race.seen() == attempt;
	}

	void closed(Attempt<ReqT, RespT> attempt, Status received, Metadata trailers) {
		// Not under the lock: a Context that finds its parent cancelled calls its
		// listeners.
		boolean left = !(received.isOk() && this.unary) && this.context.isCancelled();
		Status status = left ? received : attempt.endOf(received);
		boolean gone = ShutdownWatch.isShutdown(status) && attempt.isUnsent(trailers);
		boolean refused = !status.isOk() && this.method.rules().overlap() && this.method.isRefused();
		Next next = settle(attempt, status, trailers, status.isOk() || left || gone, refused);
		if (next == null) {
			return;
		}
		if (attempt.isTold()) {
			this.delivery.close(attempt, status, trailers);
			return;
		}
		switch (next.verdict().kind()) {
			case END -> end(attempt, next.verdict(), status, trailers);
			case AGAIN -> {
				if (next.index() > 0) {
					new FurtherAttempt<>(this, next.index()).begin();
				}
				else if (next.before() != null) {
					next.before().begin(next.verdict().nanos());
				}
			}
			case KEEP_GOING, HEDGE_LATER -> {
			}
		}
	}

	/**
	 * Decides what follows the end of an attempt, and notes it.
	 * @param last whether there is no further attempt, whatever the rules say
	 * @return {@code null} if the call has ended without it, or goes on with another one
	 */
	private synchronized @Nullable Next settle(Attempt<ReqT, RespT> attempt, Status status, Metadata trailers,
			boolean last, boolean refused) {
		if (!attempt.close()) {
			return null;
		}
		this.race.left();
		if (!this.race.isOpenFor(attempt)) {
			return null;
		}
		if (last || this.race.winner() == attempt || this.actions.isCancelled()) {
			this.race.end(attempt);
			return Next.END;
		}
		Verdict verdict = decide(attempt, status, trailers, refused);
		switch (verdict.kind()) {
			case END -> this.race.end(attempt);
			case AGAIN -> {
				return again(verdict, new Wait<>(this, attempt, status, trailers));
			}
			case KEEP_GOING -> {
				if (verdict.reason() != null) {
					this.race.stop(verdict.reason(), false);
				}
			}
			case HEDGE_LATER -> {
				// The hedge takes it when it begins.
				this.method.client().budget().putBack();
				awaitHedge(verdict.nanos());
			}
		}
		return new Next(verdict, 0, null);
	}

	@GuardedBy("this")
	private Next again(Verdict verdict, Wait<ReqT, RespT> wait) {
		if (verdict.nanos() > 0) {
			this.race.await(wait);
			return new Next(verdict, 0, wait);
		}
		this.race.cancelAlarm();
		return new Next(verdict, this.race.reserve(), null);
	}

	@GuardedBy("this")
	private Verdict decide(Attempt<ReqT, RespT> attempt, Status status, Metadata trailers, boolean refused) {
		boolean timedOut = attempt.isTimedOut(status);
		if (!this.method.rules().isRepeatable(status.getCode(), timedOut)) {
			return Verdict.END;
		}
		long remaining = remainingNanos();
		boolean channelRepeats = this.method.isRepeatedByChannel(attempt.index(), !refused && remaining > 0);
		FailedAttempt failed = new FailedAttempt(status.getCode(), timedOut, Backoff.askedFor(trailers),
				StatusDetails.find(trailers, Reason.CIRCUIT_OPEN) != null, refused, this.race.made(),
				this.race.inFlight(), channelRepeats, this.chained, this.race.stopped(), remaining,
				this.method.client().random().getAsDouble());
		return this.method.rules().after(failed, this.method.client().budget()::tryTake);
	}

	private void end(Attempt<ReqT, RespT> attempt, Verdict verdict, Status status, Metadata trailers) {
		try {
			if (verdict.reason() != null && !isStopTold()) {
				this.method.method().attemptsEnded(verdict.reason());
			}
			if (status.isOk()) {
				answered(attempt);
			}
			else {
				feedOthers();
			}
		}
		finally {
			this.delivery.end(attempt, status, verdict.marks() ? PushBack.stop(trailers) : trailers);
		}
	}

	private synchronized boolean isStopTold() {
		return this.race.isStopTold();
	}

	/**
	 * Has another attempt made beside those in flight if they take long.
	 */
	void awaitHedge() {
		if (this.method.rules() instanceof HedgeRules hedge && !this.chained) {
			long delay = this.method.hedgeDelayNanos(hedge.policy());
			synchronized (this) {
				if (delay < remainingNanos() && mayHedge() && !this.race.isAwaited()) {
					awaitHedge(delay);
				}
			}
		}
	}

	@GuardedBy("this")
	private void awaitHedge(long nanos) {
		if (this.method.rules() instanceof HedgeRules hedge) {
			NextHedge next = new NextHedge(this, hedge);
			this.race.await(next);
			next.set(nanos);
		}
	}

	@GuardedBy("this")
	boolean mayHedge() {
		return this.actions.isHalfClosed() && !this.actions.isCancelled() && this.race.isOpen()
				&& this.race.inFlight() > 0 && this.race.stopped() == null
				&& this.race.made() < this.method.rules().maxAttempts();
	}

	/**
	 * What follows the end of an attempt. Immutable.
	 *
	 * @param verdict what the rules say
	 * @param index attempts made before the one that begins at once; zero if none does
	 * @param before the wait before another one; {@code null} for none
	 */
	private record Next(Verdict verdict, int index, @Nullable Wait<?, ?> before) {

		private static final Next END = new Next(Verdict.END, 0, null);

	}

}
