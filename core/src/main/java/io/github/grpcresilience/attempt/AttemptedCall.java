package io.github.grpcresilience.attempt;

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
import io.github.grpcresilience.status.PushBack;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.status.StatusDetails;
import io.github.grpcresilience.time.Timeout;

/**
 * A call that may be attempted more than once. What the caller does is recorded and fed
 * to every attempt; the caller sees one attempt only, the one that wins: a unary one when
 * it closes, a streaming one when its response headers come.
 *
 * <p>
 * All state is guarded by the monitor of the call, under which no code of others runs; so
 * is that of its parts: {@link CallerActions}, {@link Attempt}, {@link Alarm}. Whoever
 * changes it takes, in the same entry, the first step that follows for an attempt, and
 * performs it outside (decision 20). The {@link Delivery} is called by the winner's
 * callbacks, or, while no attempt is in flight, by whoever ends the {@link Wait}; never
 * by two threads at a time.
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

	/** The attempt that was begun last, with the others behind it. */
	@GuardedBy("this")
	private Attempt<ReqT, RespT> latest;

	@GuardedBy("this")
	private int made = 1;

	@GuardedBy("this")
	private int inFlight = 1;

	@GuardedBy("this")
	private @Nullable Attempt<ReqT, RespT> winner;

	/** Set before the listener is told of the end, and by whoever tells it. */
	@GuardedBy("this")
	private boolean over;

	/** Why there are no further hedges, although there could be. */
	@GuardedBy("this")
	private @Nullable AttemptEnd stopped;

	/** Whether that was told already. */
	@GuardedBy("this")
	private boolean stopCounted;

	/** Set while no attempt is in flight and another one will follow. */
	@GuardedBy("this")
	private @Nullable Wait<ReqT, RespT> waiting;

	/** Of the attempt after the wait, or of the next hedge. */
	@GuardedBy("this")
	private @Nullable Alarm alarm;

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
		this.delivery = new Delivery<>(method, context, options.getExecutor());
		// The answer is held back anyway, whenever the caller asks for it.
		this.actions = new CallerActions<>(this.unary ? 2 : 0);
		this.latest = newAttempt(0);
	}

	private Attempt<ReqT, RespT> newAttempt(int index) {
		CallOptions own = this.method.watched(this.options, index);
		if (this.delivery.isOrdered()) {
			own = own.withExecutor(this.method.client().executor());
		}
		boolean shortened = this.unary && this.method.hasTimeout() && this.method.hasTimeoutWithin(remainingNanos());
		if (shortened) {
			own = this.method.shortened(own);
		}
		return new Attempt<>(this, this.actions,
				this.method.client().inner().interceptCall(this.descriptor, own, this.channel), index, shortened);
	}

	private long remainingNanos() {
		return Math.min(remainingNanos(this.options.getDeadline()), remainingNanos(this.context.getDeadline()));
	}

	private static long remainingNanos(@Nullable Deadline deadline) {
		return (deadline != null) ? deadline.timeRemaining(TimeUnit.NANOSECONDS) : Long.MAX_VALUE;
	}

	boolean isUnary() {
		return this.unary;
	}

	Delivery<RespT> delivery() {
		return this.delivery;
	}

	// What the caller does.

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
			claimed = claim();
		}
		feed(claimed);
		this.method.client().budget().called();
	}

	@Override
	public void request(int numMessages) {
		Attempt<ReqT, RespT> won;
		Attempt<ReqT, RespT> claimed = null;
		synchronized (this) {
			won = this.winner;
			if (won == null) {
				this.actions.request(numMessages);
				claimed = claim();
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
			claimed = claim();
		}
		feed(claimed);
	}

	@Override
	public void halfClose() {
		Attempt<ReqT, RespT> claimed;
		synchronized (this) {
			this.actions.halfClose();
			claimed = claim();
		}
		feed(claimed);
		awaitHedge();
	}

	@Override
	public void setMessageCompression(boolean enabled) {
		Attempt<ReqT, RespT> claimed;
		synchronized (this) {
			this.actions.compress(enabled);
			claimed = claim();
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
				doomAllBut(null);
				wait = endWait();
				claimed = claim();
			}
			else {
				unstarted = this.latest;
			}
		}
		if (unstarted != null) {
			unstarted.call().cancel(message, cause);
			return;
		}
		feed(claimed);
		abandon(wait, status);
	}

	@Override
	public boolean isReady() {
		Attempt<ReqT, RespT> current;
		synchronized (this) {
			current = seen();
			if (!current.isOpen()) {
				return false;
			}
		}
		return current.call().isReady();
	}

	@Override
	public Attributes getAttributes() {
		Attempt<ReqT, RespT> current;
		synchronized (this) {
			current = seen();
		}
		return current.call().getAttributes();
	}

	// Feeding.

	/**
	 * Takes the first step that is due, of the latest attempt or one behind it. Whoever
	 * takes it has to {@link #feed} it once the lock is left.
	 * @return {@code null} if nothing is due, or other threads are at it
	 */
	@GuardedBy("this")
	private @Nullable Attempt<ReqT, RespT> claim() {
		return claimFrom(this.latest);
	}

	@GuardedBy("this")
	private @Nullable Attempt<ReqT, RespT> claimFrom(@Nullable Attempt<ReqT, RespT> first) {
		Attempt<ReqT, RespT> attempt = first;
		while (attempt != null && !attempt.claim()) {
			attempt = attempt.previous();
		}
		return attempt;
	}

	/**
	 * Performs the step that was taken, and whatever is due after it.
	 */
	private void feed(@Nullable Attempt<ReqT, RespT> claimed) {
		Attempt<ReqT, RespT> attempt = claimed;
		while (attempt != null) {
			boolean performed = false;
			try {
				attempt.perform();
				performed = true;
			}
			finally {
				if (!performed) {
					release(attempt);
				}
			}
			attempt = next(attempt);
		}
	}

	private synchronized @Nullable Attempt<ReqT, RespT> next(Attempt<ReqT, RespT> fed) {
		return fed.advance() ? fed : claimFrom(fed.previous());
	}

	private synchronized void release(Attempt<ReqT, RespT> attempt) {
		attempt.release();
	}

	/**
	 * Gives up the attempts in flight but one.
	 * @param kept the attempt that goes on; {@code null} for none
	 */
	@GuardedBy("this")
	private void doomAllBut(@Nullable Attempt<ReqT, RespT> kept) {
		for (Attempt<ReqT, RespT> attempt = this.latest; attempt != null; attempt = attempt.previous()) {
			if (attempt != kept) {
				attempt.doom();
			}
		}
	}

	/**
	 * Ends an attempt that need not be started any more. It is cancelled nevertheless:
	 * the channel may hold on to it.
	 */
	void drop(Attempt<ReqT, RespT> attempt) {
		Status status = cancelStatus(attempt);
		attempt.cancelQuietly(status);
		this.delivery.execute(() -> closed(attempt, status, new Metadata()));
	}

	void cancel(Attempt<ReqT, RespT> attempt) {
		attempt.cancelQuietly(cancelStatus(attempt));
	}

	private synchronized Status cancelStatus(Attempt<ReqT, RespT> attempt) {
		Status callers = this.actions.cancelled();
		return (callers != null) ? callers : attempt.cancelStatus();
	}

	/**
	 * Bounds the time to the response headers of a stream, if attempts have a timeout.
	 */
	void awaitHeaders(Attempt<ReqT, RespT> attempt) {
		if (this.unary || !this.method.hasTimeout() || !this.method.hasTimeoutWithin(remainingNanos())) {
			return;
		}
		Timeout timeout = this.method.client()
			.timer()
			.schedule(this.method.attemptTimeoutNanos(),
					() -> this.method.client().executor().execute(() -> expire(attempt)));
		synchronized (this) {
			attempt.headersTimeout(timeout);
			if (attempt.isClosed() || this.winner != null) {
				timeout.cancel();
			}
		}
	}

	private void expire(Attempt<ReqT, RespT> attempt) {
		Attempt<ReqT, RespT> claimed;
		synchronized (this) {
			if (this.winner != null || !attempt.expire()) {
				return;
			}
			claimed = claimFrom(attempt);
		}
		feed(claimed);
	}

	// What comes back.

	/**
	 * Makes an attempt the one that the caller sees.
	 * @return {@code false} if there is another one
	 */
	boolean win(Attempt<ReqT, RespT> attempt) {
		synchronized (this) {
			if (this.winner != null || this.over) {
				return this.winner == attempt;
			}
			if (attempt.isExpired()) {
				return false;
			}
			this.winner = attempt;
			attempt.cancelHeadersTimeout();
			cancelAlarm();
			doomAllBut(attempt);
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

	private void feedOthers() {
		if (!this.method.rules().overlap()) {
			return;
		}
		Attempt<ReqT, RespT> claimed;
		synchronized (this) {
			claimed = claim();
		}
		feed(claimed);
	}

	/**
	 * Whether what an attempt says of itself holds for the call.
	 */
	synchronized boolean isSeen(Attempt<ReqT, RespT> attempt) {
		return !this.over && seen() == attempt;
	}

	@GuardedBy("this")
	private Attempt<ReqT, RespT> seen() {
		return (this.winner != null) ? this.winner : this.latest;
	}

	void closed(Attempt<ReqT, RespT> attempt, Status received, Metadata trailers) {
		// Not under the lock: a Context that finds its parent cancelled calls its
		// listeners.
		boolean left = !(received.isOk() && this.unary) && this.context.isCancelled();
		Status status = (!left && isExpired(attempt))
				? Status.DEADLINE_EXCEEDED.withDescription("no response headers in time") : received;
		boolean gone = ShutdownWatch.isShutdown(status) && attempt.isUnsent(trailers);
		boolean refused = !status.isOk() && this.method.rules().overlap() && this.method.isRefused();
		Next next = settle(attempt, status, trailers, left || gone, refused);
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
					begin(next.index());
				}
				else {
					await(next.verdict().nanos());
				}
			}
			case KEEP_GOING, HEDGE_LATER -> {
			}
		}
	}

	private boolean isExpired(Attempt<ReqT, RespT> attempt) {
		if (this.unary) {
			return false;
		}
		synchronized (this) {
			return attempt.isExpired() && !this.actions.isCancelled();
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
		this.inFlight--;
		if (this.over || (this.winner != null && this.winner != attempt)) {
			return null;
		}
		if (last || status.isOk() || this.winner == attempt || this.actions.isCancelled()) {
			settle(attempt);
			return Next.END;
		}
		Verdict verdict = decide(attempt, status, trailers, refused);
		switch (verdict.kind()) {
			case END -> settle(attempt);
			case AGAIN -> {
				cancelAlarm();
				if (verdict.nanos() == 0) {
					return new Next(verdict, reserve());
				}
				this.waiting = new Wait<>(this, attempt, status, trailers);
			}
			case KEEP_GOING -> {
				if (verdict.reason() != null) {
					this.stopped = verdict.reason();
					cancelAlarm();
				}
			}
			case HEDGE_LATER -> {
				// The hedge takes it when it begins.
				this.method.client().budget().putBack();
				schedule(verdict.nanos());
			}
		}
		return new Next(verdict, 0);
	}

	@GuardedBy("this")
	private void settle(Attempt<ReqT, RespT> winner) {
		this.over = true;
		this.winner = winner;
		cancelAlarm();
		doomAllBut(winner);
	}

	@GuardedBy("this")
	private Verdict decide(Attempt<ReqT, RespT> attempt, Status status, Metadata trailers, boolean refused) {
		boolean timedOut = attempt.isTimedOut(status);
		if (!this.method.rules().isRepeatable(status.getCode(), timedOut)) {
			return Verdict.END;
		}
		boolean channelRepeats = this.method.method().isAttemptedByChannel();
		long remaining = remainingNanos();
		if (!channelRepeats && !refused && remaining > 0) {
			this.method.failedAlone(attempt.index());
		}
		FailedAttempt failed = new FailedAttempt(status.getCode(), timedOut, Backoff.askedFor(trailers),
				StatusDetails.find(trailers, Reason.CIRCUIT_OPEN) != null, refused, this.made, this.inFlight,
				channelRepeats, this.chained, this.stopped, remaining, this.method.client().random().getAsDouble());
		return this.method.rules().after(failed, this.method.client().budget()::tryTake);
	}

	private void end(Attempt<ReqT, RespT> attempt, Verdict verdict, Status status, Metadata trailers) {
		try {
			if (verdict.reason() != null && !isStopCounted()) {
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

	private synchronized boolean isStopCounted() {
		return this.stopCounted;
	}

	// Waiting.

	private void await(long nanos) {
		Wait<ReqT, RespT> wait;
		synchronized (this) {
			wait = this.waiting;
		}
		if (wait == null) {
			return;
		}
		wait.begin(nanos, this.context, this.method.client(), this.channel, this.descriptor);
		boolean waits;
		synchronized (this) {
			waits = this.waiting != null;
			if (waits) {
				schedule(nanos);
			}
		}
		if (!waits) {
			unwatch(wait);
		}
	}

	private void unwatch(Wait<ReqT, RespT> wait) {
		wait.end(this.context, this.method.client(), this.channel);
	}

	/**
	 * Ends the call while it waits for another attempt, for a reason that would have
	 * ended one in flight.
	 */
	void stopWaiting(Status status) {
		Wait<ReqT, RespT> wait;
		synchronized (this) {
			wait = endWait();
		}
		abandon(wait, status);
	}

	/**
	 * Tells the end after a wait that was given up.
	 * @param wait {@code null} if nobody waited
	 */
	private void abandon(@Nullable Wait<ReqT, RespT> wait, Status status) {
		if (wait != null) {
			this.method.client().budget().putBack();
			unwatch(wait);
			this.delivery.endOutside(null, status, new Metadata());
		}
	}

	/**
	 * Ends the wait for good, if there is one. The Context is left to the caller, since
	 * it has a lock of its own.
	 * @return the wait; {@code null} if nobody waits
	 */
	@GuardedBy("this")
	private @Nullable Wait<ReqT, RespT> endWait() {
		Wait<ReqT, RespT> wait = this.waiting;
		if (wait != null) {
			this.waiting = null;
			this.over = true;
			cancelAlarm();
		}
		return wait;
	}

	/**
	 * Schedules the next attempt. What was scheduled before will not happen, even if it
	 * has been handed over.
	 */
	@GuardedBy("this")
	private void schedule(long nanos) {
		cancelAlarm();
		Alarm next = new Alarm(this, this.method.client().executor());
		this.alarm = next;
		next.set(this.method.client().timer(), nanos);
	}

	@GuardedBy("this")
	private void cancelAlarm() {
		Alarm pending = this.alarm;
		this.alarm = null;
		if (pending != null) {
			pending.cancel();
		}
	}

	/**
	 * The time of the next attempt has come.
	 */
	void ring(Alarm rung) {
		boolean waits;
		synchronized (this) {
			waits = this.waiting != null;
		}
		if (waits) {
			attemptAgain(rung);
		}
		else if (this.method.rules() instanceof HedgeRules hedge) {
			hedge(rung, hedge);
		}
	}

	private void attemptAgain(Alarm rung) {
		Wait<ReqT, RespT> wait;
		int index = 0;
		synchronized (this) {
			wait = this.waiting;
			if (wait == null || rung != this.alarm) {
				return;
			}
			if (remainingNanos() <= 0) {
				endWait();
			}
			else {
				this.waiting = null;
				this.alarm = null;
				index = reserve();
			}
		}
		unwatch(wait);
		if (index > 0) {
			begin(index);
		}
		else {
			this.method.client().budget().putBack();
			this.method.method().attemptsEnded(AttemptEnd.DEADLINE);
			wait.fail(this.delivery);
		}
	}

	private void awaitHedge() {
		if (this.method.rules() instanceof HedgeRules hedge && !this.chained) {
			long delay = this.method.hedgeDelayNanos(hedge.policy());
			synchronized (this) {
				if (delay < remainingNanos() && mayHedge() && this.alarm == null) {
					schedule(delay);
				}
			}
		}
	}

	@GuardedBy("this")
	private boolean mayHedge() {
		return this.actions.isHalfClosed() && !this.over && !this.actions.isCancelled() && this.winner == null
				&& this.inFlight > 0 && this.stopped == null && this.made < this.method.rules().maxAttempts();
	}

	private void hedge(Alarm rung, HedgeRules rules) {
		boolean refused = this.method.isRefused() || this.context.isCancelled();
		AttemptEnd end;
		int index = 0;
		synchronized (this) {
			if (rung != this.alarm) {
				return;
			}
			this.alarm = null;
			if (refused || !mayHedge() || remainingNanos() <= 0) {
				return;
			}
			end = rules.whenSlow(this.method.method().isAttemptedByChannel(), this.method.client().budget()::tryTake)
				.reason();
			this.stopped = end;
			this.stopCounted = end != null;
			index = (end != null) ? 0 : reserve();
		}
		if (end != null) {
			this.method.method().attemptsEnded(end);
		}
		else {
			begin(index);
		}
	}

	// Beginning further attempts.

	/**
	 * Counts an attempt that will begin.
	 * @return attempts that were made before it
	 */
	@GuardedBy("this")
	private int reserve() {
		this.inFlight++;
		return this.made++;
	}

	/**
	 * Begins an attempt that was reserved.
	 */
	private void begin(int index) {
		this.method.method().attemptCounts().further();
		Attempt<ReqT, RespT> attempt = null;
		Context previous = this.context.attach();
		try {
			attempt = newAttempt(index);
			feed(add(attempt));
			awaitHedge();
		}
		catch (RuntimeException | Error ex) {
			broken(attempt, ex);
		}
		finally {
			this.context.detach(previous);
		}
	}

	private synchronized @Nullable Attempt<ReqT, RespT> add(Attempt<ReqT, RespT> attempt) {
		if (this.actions.isCancelled() || this.over || this.winner != null) {
			attempt.doom();
		}
		// Attempts that do not overlap need not be remembered.
		if (this.method.rules().overlap()) {
			attempt.follow(this.latest);
		}
		this.latest = attempt;
		return claim();
	}

	/**
	 * An interceptor of the channel threw when an attempt was begun, where no caller can
	 * be thrown at.
	 */
	private void broken(@Nullable Attempt<ReqT, RespT> attempt, Throwable thrown) {
		synchronized (this) {
			if (attempt != null && !attempt.close()) {
				return;
			}
			this.inFlight--;
		}
		if (attempt != null) {
			attempt.cancelQuietly(Status.CANCELLED.withDescription("broken").withCause(thrown));
		}
		else {
			this.method.client().budget().putBack();
		}
		synchronized (this) {
			if (this.over || this.winner != null || this.inFlight > 0) {
				return;
			}
			this.over = true;
			cancelAlarm();
		}
		this.delivery.endOutside(null, Status.fromThrowable(thrown), new Metadata());
	}

	/**
	 * What follows the end of an attempt. Immutable.
	 *
	 * @param verdict what the rules say
	 * @param index attempts made before the one that begins at once; zero if none does
	 */
	private record Next(Verdict verdict, int index) {

		private static final Next END = new Next(Verdict.END, 0);

	}

}
