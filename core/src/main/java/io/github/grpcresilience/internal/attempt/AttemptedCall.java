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

import io.github.grpcresilience.event.AttemptEnd;
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

	/**
	 * Of the attempt that was made last. They are made one after the other, and between
	 * two of them whoever makes the next one has entered the monitor.
	 */
	private @Nullable SentWatch last;

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
		this.race = new AttemptRace<>(newAttempt(0, Patience.NONE));
	}

	Attempt<ReqT, RespT> newAttempt(int index, Patience patience) {
		SentWatch watch = new SentWatch(this.method, this.last);
		this.last = watch;
		CallOptions own = this.delivery.executing(this.options.withStreamTracerFactory(watch), index);
		boolean shortened = this.unary && patience == Patience.NONE && isShortened();
		if (shortened) {
			own = this.method.shortened(own);
		}
		if (patience == Patience.UNTIL_READY) {
			own = own.withWaitForReady();
		}
		return new Attempt<>(this, this.actions,
				this.method.client().inner().interceptCall(this.descriptor, own, this.channel), watch, index, patience,
				shortened);
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
			this.actions.start(headers, this.method.isTimed() || mayRepeat());
			this.startedNanos = this.method.started();
			claimed = this.race.claim();
		}
		feed(claimed);
		this.method.client().budget().called();
	}

	/**
	 * Whether there may be attempts beyond the first.
	 */
	private boolean mayRepeat() {
		return !this.chained && this.method.rules().maxAttempts() > 1;
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
		if (attempt.isFurther()) {
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
		boolean sent = status.isOk() || attempt.isSent();
		boolean unsent = !sent && trailers.keys().isEmpty();
		boolean gone = unsent && ShutdownWatch.isShutdown(status);
		boolean refused = !status.isOk() && this.method.rules().overlap() && this.method.isRefused();
		Next<ReqT, RespT> next = (status.isOk() || left || gone) ? settleLast(attempt, sent)
				: settle(new Failure<>(attempt, status, trailers), sent, unsent, refused);
		if (next == null) {
			return;
		}
		if (attempt.isTold()) {
			this.delivery.close(attempt, status, trailers);
			return;
		}
		switch (next.verdict().kind()) {
			case END -> {
				if (next.failure() != null) {
					end(attempt, next.verdict(), next.failure().attempt(), next.failure().status(),
							next.failure().trailers());
				}
				else {
					end(attempt, next.verdict(), attempt, status, trailers);
				}
			}
			case AGAIN -> {
				if (next.before() != null) {
					next.before().begin(next.verdict().nanos());
				}
				else {
					new FurtherAttempt<>(this, next.index(), next.patience()).begin();
				}
			}
			case KEEP_GOING, HEDGE_LATER -> {
			}
		}
	}

	/**
	 * Notes that an attempt has closed.
	 * @param sent whether a server may have seen it
	 * @return {@code false} if the call has ended without it, or goes on with another one
	 */
	@GuardedBy("this")
	private boolean leave(Attempt<ReqT, RespT> attempt, boolean sent) {
		if (!attempt.close()) {
			return false;
		}
		this.race.left();
		if (!this.race.isOpenFor(attempt)) {
			return false;
		}
		if (sent) {
			this.race.sent();
		}
		return true;
	}

	/**
	 * Notes the end of an attempt that no other one follows, whatever the rules say.
	 * @return {@code null} if the call has ended without it, or goes on with another one
	 */
	private synchronized @Nullable Next<ReqT, RespT> settleLast(Attempt<ReqT, RespT> attempt, boolean sent) {
		if (!leave(attempt, sent)) {
			return null;
		}
		this.race.end(attempt);
		return Next.end();
	}

	/**
	 * Decides what follows the end of an attempt, and notes it.
	 * @param ended how it ended
	 * @param sent whether a server may have seen the attempt
	 * @param unsent whether it never left this side; not what others here have refused
	 * @return {@code null} if the call has ended without it, or goes on with another one
	 */
	private synchronized @Nullable Next<ReqT, RespT> settle(Failure<ReqT, RespT> ended, boolean sent, boolean unsent,
			boolean refused) {
		Attempt<ReqT, RespT> attempt = ended.attempt();
		if (!leave(attempt, sent)) {
			return null;
		}
		if (this.race.winner() == attempt || this.actions.isCancelled()) {
			this.race.end(attempt);
			return Next.end();
		}
		AttemptEnd without = attempt.endWithout(ended.status(), unsent);
		if (without != null) {
			return endWithout(attempt, without);
		}
		if (attempt.isTooEarly(ended.status(), unsent) && remainingNanos() > 0) {
			this.race.uncount();
			return Next.begin(Verdict.again(0), this.race.reserve(), Patience.UNTIL_SENT);
		}
		return follow(ended, unsent && mayWait(ended), refused);
	}

	/**
	 * Whether it is for want of a connection that an attempt has failed, and another one
	 * can wait for it.
	 */
	@GuardedBy("this")
	private boolean mayWait(Failure<ReqT, RespT> failure) {
		if (failure.attempt().patience() == Patience.UNTIL_READY) {
			this.race.waitedInVain();
		}
		return failure.status().getCode() == Status.Code.UNAVAILABLE && mayRepeat() && !this.options.isWaitForReady()
				&& !this.race.hasWaitedInVain();
	}

	@GuardedBy("this")
	private Next<ReqT, RespT> endWithout(Attempt<ReqT, RespT> attempt, AttemptEnd reason) {
		if (this.race.inFlight() > 0) {
			this.race.stop(reason, false);
			return Next.of(Verdict.keepGoing(reason), null);
		}
		this.race.end(attempt);
		return Next.of(Verdict.end(reason), this.race.failure());
	}

	/**
	 * What the rules say.
	 * @param unready whether there was no connection
	 */
	@GuardedBy("this")
	private Next<ReqT, RespT> follow(Failure<ReqT, RespT> ended, boolean unready, boolean refused) {
		Verdict verdict = decide(ended, unready, refused);
		if (verdict.ends()) {
			this.race.end(ended.attempt());
			return Next.of(verdict, null);
		}
		this.race.fail(ended);
		switch (verdict.kind()) {
			case AGAIN -> {
				return again(verdict, ended, unready);
			}
			case KEEP_GOING -> {
				if (verdict.reason() != null) {
					this.race.stop(verdict.reason(), false);
				}
			}
			case HEDGE_LATER -> {
				// The hedge takes it when it begins.
				this.method.client().budget().putBack();
				awaitHedge(verdict.nanos(), 0);
			}
			case END -> {
			}
		}
		return Next.of(verdict, null);
	}

	@GuardedBy("this")
	private Next<ReqT, RespT> again(Verdict verdict, Failure<ReqT, RespT> failure, boolean unready) {
		Patience patience = unready ? Patience.UNTIL_READY : Patience.NONE;
		if (unready) {
			this.race.uncount();
		}
		if (verdict.nanos() > 0) {
			Wait<ReqT, RespT> wait = new Wait<>(this, failure, patience);
			this.race.await(wait);
			return Next.after(verdict, wait);
		}
		this.race.cancelAlarm();
		return Next.begin(verdict, this.race.reserve(), patience);
	}

	@GuardedBy("this")
	private Verdict decide(Failure<ReqT, RespT> ended, boolean unready, boolean refused) {
		Status.Code code = ended.status().getCode();
		boolean timedOut = ended.attempt().isTimedOut(ended.status());
		if (!this.method.rules().isRepeatable(code, timedOut)) {
			return Verdict.END;
		}
		FailedAttempt failed = new FailedAttempt(code, timedOut, unready, Backoff.askedFor(ended.trailers()),
				StatusDetails.find(ended.trailers(), Reason.CIRCUIT_OPEN) != null, refused, this.race.made(),
				this.race.inFlight(), this.method.isRepeatedByChannel(ended.attempt().watch()), this.chained,
				this.race.stopped(), remainingNanos(), this.method.client().random().getAsDouble());
		// What no server has seen adds nothing to what servers do.
		return this.method.rules().after(failed, unready ? () -> true : this.method.client().budget()::tryTake);
	}

	/**
	 * Ends the call with what is told, which is the end of the last attempt or of one
	 * before.
	 */
	private void end(Attempt<ReqT, RespT> attempt, Verdict verdict, Attempt<ReqT, RespT> told, Status status,
			Metadata trailers) {
		boolean stop = false;
		try {
			AttemptEnd reason = verdict.reason();
			if (reason != null) {
				stop = verdict.marks() && isAnySent();
				if (!isStopTold()) {
					this.method.method().attemptsEnded(reason);
				}
			}
			if (status.isOk()) {
				answered(attempt);
			}
			else {
				feedOthers();
			}
		}
		finally {
			this.delivery.end(told, status, stop ? PushBack.stop(trailers) : trailers);
		}
	}

	private synchronized boolean isAnySent() {
		return this.race.isAnySent();
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
					awaitHedge(delay, delay);
				}
			}
		}
	}

	/**
	 * Has another attempt made beside those in flight after a time.
	 * @param sentNanos least time since the attempt before was sent
	 */
	@GuardedBy("this")
	private void awaitHedge(long nanos, long sentNanos) {
		if (this.method.rules() instanceof HedgeRules hedge) {
			NextHedge next = new NextHedge(this, hedge, sentNanos);
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
	 * @param verdict what is done
	 * @param failure what the caller is told instead of that end; {@code null} for that
	 * end
	 * @param index attempts that were made before the one that begins at once, and count
	 * @param patience how that one bears that it is not sent yet
	 * @param before the wait before another one; {@code null} for none
	 */
	private record Next<ReqT, RespT>(Verdict verdict, @Nullable Failure<ReqT, RespT> failure, int index,
			Patience patience, @Nullable Wait<ReqT, RespT> before) {

		private static final Next<?, ?> END = new Next<>(Verdict.END, null, 0, Patience.NONE, null);

		/** The call ends as the attempt did. */
		@SuppressWarnings("unchecked") // it holds nothing of any type
		static <ReqT, RespT> Next<ReqT, RespT> end() {
			return (Next<ReqT, RespT>) END;
		}

		static <ReqT, RespT> Next<ReqT, RespT> of(Verdict verdict, @Nullable Failure<ReqT, RespT> failure) {
			return new Next<>(verdict, failure, 0, Patience.NONE, null);
		}

		static <ReqT, RespT> Next<ReqT, RespT> begin(Verdict verdict, int index, Patience patience) {
			return new Next<>(verdict, null, index, patience, null);
		}

		static <ReqT, RespT> Next<ReqT, RespT> after(Verdict verdict, Wait<ReqT, RespT> wait) {
			return new Next<>(verdict, null, 0, Patience.NONE, wait);
		}

	}

}
