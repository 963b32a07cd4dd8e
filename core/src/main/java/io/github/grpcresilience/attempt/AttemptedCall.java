package io.github.grpcresilience.attempt;

import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.internal.SerializingExecutor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.ServedCall;
import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.method.AttemptGate;
import io.github.grpcresilience.policy.AttemptPolicy;
import io.github.grpcresilience.policy.AttemptPolicy.Hedge;
import io.github.grpcresilience.policy.AttemptPolicy.Retry;
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
 * All state is guarded by the monitor of the call, under which no code of others runs. An
 * attempt is fed by one thread at a time (decision 20). The listener is called by the
 * winner's callbacks, or, while no attempt is in flight, by whoever ends the wait; never
 * by two threads at a time.
 */
final class AttemptedCall<ReqT, RespT> extends ClientCall<ReqT, RespT> implements Context.CancellationListener {

	/** Sent with every attempt but the first (gRFC A6). */
	private static final Metadata.Key<String> PREVIOUS_ATTEMPTS = Metadata.Key.of("grpc-previous-rpc-attempts",
			Metadata.ASCII_STRING_MARSHALLER);

	private static final long MOST_WAIT_NANOS = TimeUnit.MINUTES.toNanos(1);

	private final Attempting attempting;

	private final MethodAttempts method;

	private final AttemptPolicy policy;

	private final MethodDescriptor<ReqT, RespT> descriptor;

	private final CallOptions options;

	private final Channel channel;

	private final Context context;

	private final boolean unary;

	private final boolean chained;

	/**
	 * Where the listener is told, if attempts have an executor of their own: a blocking
	 * stub stops running tasks once it has its answer, and what attempts hold would never
	 * be released. Absent where attempts do not overlap.
	 */
	private final @Nullable Executor callbacks;

	private @Nullable Listener<RespT> listener;

	private @Nullable Metadata headers;

	private @Nullable ReqT message;

	private int requested;

	private boolean messageSent;

	private boolean halfClosed;

	private @Nullable Boolean compression;

	/** The attempt that was begun last, with the others behind it. */
	private @Nullable Attempt latest;

	private int made;

	private int inFlight;

	private @Nullable Attempt winner;

	/** Set before the listener is told of the end, and by whoever tells it. */
	private boolean over;

	private boolean cancelled;

	private @Nullable String cancelMessage;

	private @Nullable Throwable cancelCause;

	/** Why there are no further hedges, although there could be. */
	private @Nullable AttemptEnd stopped;

	/** Whether that was told already. Written before the last attempt in flight ends. */
	private volatile boolean stopCounted;

	/** What the wait ends with if there is no further attempt; set while it lasts. */
	private @Nullable Failure waiting;

	/** Of the wait, or of the next hedge. */
	private @Nullable Timeout timeout;

	/** Changes with everything that is scheduled or not wanted any more. */
	private int generation;

	private long startedNanos;

	AttemptedCall(Attempting attempting, MethodAttempts method, MethodDescriptor<ReqT, RespT> descriptor,
			CallOptions options, Channel channel, Context context, boolean chained) {
		this.chained = chained;
		this.attempting = attempting;
		this.method = method;
		this.policy = method.method().attempts();
		this.descriptor = descriptor;
		this.options = options;
		this.channel = channel;
		this.context = context;
		this.unary = descriptor.getType() == MethodType.UNARY;
		Executor own = options.getExecutor();
		this.callbacks = (own != null && this.policy instanceof Hedge) ? new SerializingExecutor(own) : null;
		// The answer is held back anyway, whenever the caller asks for it.
		this.requested = this.unary ? 2 : 0;
		this.made = 1;
		this.inFlight = 1;
		this.latest = newAttempt(0);
	}

	private Attempt newAttempt(int index) {
		CallOptions own = this.method.watched(this.options, index);
		long timeout = attemptTimeoutNanos();
		if (this.callbacks != null) {
			own = own.withExecutor(this.attempting.executor());
		}
		boolean shortened = this.unary && timeout < remainingNanos();
		if (shortened) {
			own = own.withDeadline(Deadline.after(timeout, TimeUnit.NANOSECONDS, this.attempting.ticker()));
			if (this.method.method().gate() != null) {
				own = own.withOption(AttemptGate.DEADLINE_INHERITED, false);
			}
		}
		return new Attempt(index, this.attempting.inner().interceptCall(this.descriptor, own, this.channel), shortened);
	}

	private long attemptTimeoutNanos() {
		return (this.policy instanceof Retry retry) ? retry.attemptTimeoutNanos() : AttemptPolicy.NO_TIMEOUT;
	}

	private long remainingNanos() {
		return Math.min(remainingNanos(this.options.getDeadline()), remainingNanos(this.context.getDeadline()));
	}

	/**
	 * How long a wait may be: a call without a deadline does not sleep for hours because
	 * a server said so.
	 */
	private long roomNanos() {
		long remaining = remainingNanos();
		return (remaining != Long.MAX_VALUE) ? remaining : MOST_WAIT_NANOS;
	}

	private static long remainingNanos(@Nullable Deadline deadline) {
		return (deadline != null) ? deadline.timeRemaining(TimeUnit.NANOSECONDS) : Long.MAX_VALUE;
	}

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		Attempt first;
		synchronized (this) {
			if (this.listener != null) {
				throw new IllegalStateException("already started");
			}
			this.listener = listener;
			this.headers = headers;
			this.startedNanos = (this.policy instanceof Hedge) ? this.attempting.ticker().nanoTime() : 0;
			first = this.latest;
		}
		if (first != null) {
			feed(first);
		}
		this.attempting.budget().called();
	}

	@Override
	public void request(int numMessages) {
		Attempt winner;
		synchronized (this) {
			winner = this.winner;
			if (winner == null) {
				this.requested = (numMessages > Integer.MAX_VALUE - this.requested) ? Integer.MAX_VALUE
						: this.requested + numMessages;
			}
		}
		if (winner != null) {
			winner.call.request(numMessages);
		}
		else {
			feedAll();
		}
	}

	@Override
	public void sendMessage(ReqT message) {
		synchronized (this) {
			this.message = message;
			this.messageSent = true;
		}
		feedAll();
	}

	@Override
	public void halfClose() {
		synchronized (this) {
			this.halfClosed = true;
		}
		feedAll();
		awaitHedge();
	}

	@Override
	public void setMessageCompression(boolean enabled) {
		synchronized (this) {
			this.compression = enabled;
		}
		feedAll();
	}

	@Override
	public void cancel(@Nullable String message, @Nullable Throwable cause) {
		Attempt unstarted = null;
		Failure wait = null;
		synchronized (this) {
			if (!this.cancelled) {
				this.cancelled = true;
				this.cancelMessage = message;
				this.cancelCause = cause;
			}
			if (this.listener == null) {
				unstarted = this.latest;
			}
			else {
				doomAll(null);
				wait = endWait();
			}
		}
		if (unstarted != null) {
			unstarted.call.cancel(message, cause);
			return;
		}
		feedAll();
		if (wait != null) {
			abandon(cancelStatus());
		}
	}

	/**
	 * The Context of the call was cancelled while no attempt was in flight; it ends
	 * attempts itself.
	 */
	@Override
	public void cancelled(Context context) {
		Failure wait;
		synchronized (this) {
			wait = endWait();
		}
		if (wait != null) {
			abandon(Contexts.statusFromCancelled(this.context));
		}
	}

	/**
	 * The channel was shut down while no attempt was in flight.
	 */
	void channelShutDown(Status status) {
		Failure wait;
		synchronized (this) {
			wait = endWait();
		}
		if (wait != null) {
			abandon(status);
		}
	}

	/**
	 * Ends the call after a wait that was given up.
	 */
	private void abandon(Status status) {
		this.attempting.budget().putBack();
		unwatch();
		tell(null, status, new Metadata());
	}

	/**
	 * Ends the wait for good, if there is one. Called under the lock; the Context is left
	 * to the caller, since it has a lock of its own.
	 * @return what was waited after; {@code null} if nobody waits
	 */
	private @Nullable Failure endWait() {
		Failure wait = this.waiting;
		if (wait != null) {
			this.waiting = null;
			this.over = true;
			cancelTimeout();
		}
		return wait;
	}

	private void cancelTimeout() {
		Timeout pending = this.timeout;
		this.timeout = null;
		this.generation++;
		if (pending != null) {
			pending.cancel();
		}
	}

	@Override
	public boolean isReady() {
		ClientCall<ReqT, RespT> current;
		synchronized (this) {
			Attempt attempt = (this.winner != null) ? this.winner : this.latest;
			current = (attempt != null && attempt.live && !attempt.closed) ? attempt.call : null;
		}
		return current != null && current.isReady();
	}

	@Override
	public Attributes getAttributes() {
		Attempt attempt;
		synchronized (this) {
			attempt = (this.winner != null) ? this.winner : this.latest;
		}
		return (attempt != null) ? attempt.call.getAttributes() : Attributes.EMPTY;
	}

	/**
	 * Gives up the attempts in flight but one. Called under the lock.
	 * @param kept the attempt that goes on; {@code null} for none
	 */
	private void doomAll(@Nullable Attempt kept) {
		for (Attempt attempt = this.latest; attempt != null; attempt = attempt.previous) {
			if (attempt != kept) {
				attempt.doomed = true;
			}
		}
	}

	private void feedAll() {
		Attempt attempt;
		synchronized (this) {
			attempt = this.latest;
		}
		for (; attempt != null; attempt = attempt.previous) {
			feed(attempt);
		}
	}

	/**
	 * Does to an attempt what was recorded and it has not seen yet, unless another thread
	 * is at it.
	 */
	private void feed(Attempt attempt) {
		boolean first = true;
		boolean fed = false;
		try {
			while (true) {
				Step step;
				int requests;
				synchronized (this) {
					if (first && attempt.feeding) {
						fed = true;
						return;
					}
					first = false;
					requests = this.requested - attempt.requested;
					step = nextStep(attempt);
					attempt.feeding = step != Step.NONE;
				}
				if (step == Step.NONE) {
					fed = true;
					return;
				}
				perform(attempt, step, requests);
			}
		}
		finally {
			if (!fed) {
				synchronized (this) {
					attempt.feeding = false;
				}
			}
		}
	}

	/**
	 * Called under the lock; what is returned will be done.
	 */
	private Step nextStep(Attempt attempt) {
		if (attempt.closed || this.listener == null) {
			return Step.NONE;
		}
		if (!attempt.started) {
			attempt.started = true;
			return (attempt.doomed && attempt.index > 0) ? Step.DROP : Step.START;
		}
		if (attempt.doomed) {
			boolean told = attempt.cancelled;
			attempt.cancelled = true;
			return told ? Step.NONE : Step.CANCEL;
		}
		if (this.compression != null && !this.compression.equals(attempt.compression)) {
			attempt.compression = this.compression;
			return Step.COMPRESSION;
		}
		if (this.requested > attempt.requested) {
			attempt.requested = this.requested;
			return Step.REQUEST;
		}
		if (this.messageSent && !attempt.messageSent) {
			attempt.messageSent = true;
			return Step.SEND;
		}
		if (this.halfClosed && !attempt.halfClosed) {
			attempt.halfClosed = true;
			return Step.HALF_CLOSE;
		}
		return Step.NONE;
	}

	private void perform(Attempt attempt, Step step, int requests) {
		switch (step) {
			case START -> startAttempt(attempt);
			case DROP -> drop(attempt);
			case CANCEL -> cancel(attempt);
			case COMPRESSION -> attempt.call.setMessageCompression(Boolean.TRUE.equals(attempt.compression));
			case REQUEST -> attempt.call.request(requests);
			case SEND -> send(attempt);
			case HALF_CLOSE -> attempt.call.halfClose();
			case NONE -> {
			}
		}
	}

	private void startAttempt(Attempt attempt) {
		Metadata copy = new Metadata();
		Metadata original = this.headers;
		if (original != null) {
			copy.merge(original);
		}
		if (attempt.index > 0) {
			copy.discardAll(PREVIOUS_ATTEMPTS);
			copy.put(PREVIOUS_ATTEMPTS, Integer.toString(attempt.index));
		}
		attempt.call.start(attempt, copy);
		synchronized (this) {
			attempt.live = true;
		}
		long timeout = attemptTimeoutNanos();
		if (!this.unary && timeout < remainingNanos()) {
			Timeout pending = this.attempting.timer().schedule(timeout, () -> later(() -> expire(attempt)));
			synchronized (this) {
				attempt.headersTimeout = pending;
				if (attempt.closed || this.winner != null) {
					pending.cancel();
				}
			}
		}
	}

	@SuppressWarnings("NullAway") // what the caller sent, whatever that was
	private void send(Attempt attempt) {
		attempt.call.sendMessage(this.message);
	}

	/**
	 * Ends an attempt that need not be started any more. It is cancelled nevertheless:
	 * the channel may hold on to it.
	 */
	private void drop(Attempt attempt) {
		Status status = cancelStatus();
		cancelQuietly(attempt, status);
		execute(() -> closed(attempt, status, new Metadata()));
	}

	private void cancel(Attempt attempt) {
		// What counts failures takes any other cancel for the caller's.
		cancelQuietly(attempt, isExpired(attempt)
				? Status.CANCELLED.withDescription("no response headers in time").withCause(new TimeoutException())
				: cancelStatus());
	}

	/**
	 * As grpc-java words it.
	 */
	private synchronized Status cancelStatus() {
		if (!this.cancelled) {
			return Status.CANCELLED.withDescription("another attempt goes on instead");
		}
		String message = (this.cancelMessage != null) ? this.cancelMessage : "Call cancelled without message";
		return Status.CANCELLED.withDescription(message).withCause(this.cancelCause);
	}

	/**
	 * Gives up an attempt whose response headers do not come.
	 */
	private void expire(Attempt attempt) {
		synchronized (this) {
			if (attempt.closed || this.winner != null || attempt.doomed) {
				return;
			}
			attempt.expired = true;
			attempt.doomed = true;
		}
		feed(attempt);
	}

	private synchronized boolean isExpired(Attempt attempt) {
		return attempt.expired && !this.cancelled;
	}

	private void later(Runnable task) {
		this.attempting.executor().execute(task);
	}

	/**
	 * Makes an attempt the one that the caller sees.
	 * @return {@code false} if there is another one
	 */
	private boolean win(Attempt attempt) {
		synchronized (this) {
			if (this.winner != null || this.over) {
				return this.winner == attempt;
			}
			if (attempt.expired) {
				return false;
			}
			this.winner = attempt;
			attempt.cancelTimeout();
			cancelTimeout();
			doomAll(attempt);
		}
		decided(attempt);
		return true;
	}

	/**
	 * An attempt has answered, and the others are not needed any more.
	 */
	private void decided(Attempt attempt) {
		if (attempt.index > 0) {
			this.method.method().attemptCounts().rescued();
		}
		feedAll();
		this.method.answered(this.startedNanos, this.attempting.ticker());
	}

	private void closed(Attempt attempt, Status received, Metadata trailers) {
		// Not under the lock: a Context that finds its parent cancelled calls its
		// listeners.
		boolean left = this.context.isCancelled();
		Status status = (!left && isExpired(attempt))
				? Status.DEADLINE_EXCEEDED.withDescription("no response headers in time") : received;
		boolean refused = !status.isOk() && this.policy instanceof Hedge && isRefused();
		boolean gone = ShutdownWatch.isShutdown(status) && attempt.isUnsent(trailers);
		Next next;
		boolean seen;
		synchronized (this) {
			seen = this.winner == attempt;
			if (attempt.closed) {
				return;
			}
			attempt.closed = true;
			attempt.cancelTimeout();
			this.inFlight--;
			if (this.over || (this.winner != null && this.winner != attempt)) {
				return;
			}
			boolean last = seen || status.isOk() || this.cancelled || left || gone;
			next = last ? Next.END : afterFailure(attempt, status, trailers, refused);
			if (next.ends()) {
				this.over = true;
				this.winner = attempt;
				cancelTimeout();
				doomAll(attempt);
			}
			else if (next.waitNanos() > 0) {
				this.waiting = new Failure(attempt, status, trailers);
			}
		}
		if (seen) {
			listen(attempt, (listener) -> listener.onClose(status, trailers));
		}
		else {
			proceed(attempt, next, status, trailers);
		}
	}

	private void proceed(Attempt attempt, Next next, Status status, Metadata trailers) {
		if (next.ends()) {
			try {
				end(attempt, next, status);
			}
			finally {
				Metadata told = next.marks() ? PushBack.stop(trailers) : trailers;
				if (this.callbacks != null) {
					tell(attempt, status, told);
				}
				else {
					deliver(attempt, status, told);
				}
			}
		}
		else if (next.waitNanos() > 0) {
			await(next.waitNanos());
		}
		else if (next.index() > 0) {
			begin(next.index());
		}
	}

	private void end(Attempt attempt, Next next, Status status) {
		if (next.end() != null && !this.stopCounted) {
			this.method.method().attemptsEnded(next.end());
		}
		if (status.isOk()) {
			decided(attempt);
		}
		else {
			feedAll();
		}
	}

	/**
	 * Decides what follows a failure. Called under the lock.
	 */
	private Next afterFailure(Attempt attempt, Status status, Metadata trailers, boolean refused) {
		return (this.policy instanceof Hedge hedge) ? afterFailure(hedge, attempt, status, trailers, refused)
				: (this.policy instanceof Retry retry) ? afterFailure(retry, attempt, status, trailers) : Next.END;
	}

	private Next afterFailure(Retry retry, Attempt attempt, Status status, Metadata trailers) {
		boolean timedOut = attempt.isTimedOut(status);
		if ((!timedOut && !retry.retryable().contains(status.getCode())) || remainingNanos() <= 0) {
			return Next.END;
		}
		long asked = Backoff.askedFor(trailers);
		AttemptEnd end = endOf(asked, attempt);
		if (end != null) {
			return Next.end(end, retry.maxAttempts());
		}
		long wait = Math.max(asked, Backoff.ofPolicy(retry, this.made, this.attempting.random()));
		if (roomNanos() <= wait) {
			boolean circuit = StatusDetails.find(trailers, Reason.CIRCUIT_OPEN) != null;
			return Next.end(circuit ? AttemptEnd.CIRCUIT : AttemptEnd.DEADLINE, retry.maxAttempts());
		}
		return this.attempting.budget().tryTake() ? Next.after(Math.max(1, wait))
				: Next.end(AttemptEnd.BUDGET, retry.maxAttempts());
	}

	private Next afterFailure(Hedge hedge, Attempt attempt, Status status, Metadata trailers, boolean refused) {
		if (!hedge.nonFatal().contains(status.getCode())) {
			return Next.END;
		}
		if (refused) {
			return (this.inFlight > 0) ? Next.NOTHING : Next.end(AttemptEnd.CIRCUIT, hedge.maxAttempts());
		}
		long asked = Backoff.askedFor(trailers);
		AttemptEnd end = (this.stopped != null) ? this.stopped : endOf(asked, attempt);
		if (end == null && roomNanos() <= asked) {
			end = AttemptEnd.DEADLINE;
		}
		if (end == null && !this.attempting.budget().tryTake()) {
			end = AttemptEnd.BUDGET;
		}
		if (end != null) {
			this.stopped = end;
			cancelTimeout();
			return (this.inFlight > 0) ? Next.NOTHING : Next.end(end, hedge.maxAttempts());
		}
		if (asked == 0) {
			cancelTimeout();
			return Next.again(reserve());
		}
		if (this.inFlight == 0) {
			return Next.after(asked);
		}
		this.attempting.budget().putBack();
		schedule(asked, this::hedge);
		return Next.NOTHING;
	}

	/**
	 * Why there is no further attempt, whatever time is left.
	 * @param asked what the server asked for
	 * @return {@code null} if there may be one
	 */
	private @Nullable AttemptEnd endOf(long asked, Attempt attempt) {
		if (!this.method.isSole(attempt.index)) {
			return AttemptEnd.CHANNEL;
		}
		if (isChained()) {
			return AttemptEnd.CHAIN;
		}
		if (asked == PushBack.STOP) {
			return AttemptEnd.PUSH_BACK;
		}
		return (this.made >= this.policy.maxAttempts()) ? AttemptEnd.MAX_ATTEMPTS : null;
	}

	/**
	 * Whether whoever waits for this call has itself been asked again.
	 */
	private boolean isChained() {
		return this.chained;
	}

	/**
	 * Counts an attempt that will begin. Called under the lock.
	 * @return attempts that were made before it
	 */
	private int reserve() {
		this.inFlight++;
		return this.made++;
	}

	private void await(long nanos) {
		ServedCall served = ServedCall.KEY.get(this.context);
		if (served != null) {
			served.anchor();
		}
		// Not on the thread that adds it: that would be under the lock of the Context.
		this.context.addListener(this, this.attempting.executor());
		if (nanos > ShutdownWatch.LOOK_NANOS) {
			this.attempting.watches().add(this.channel, this.descriptor, this);
		}
		boolean waits;
		synchronized (this) {
			waits = this.waiting != null;
			if (waits) {
				schedule(nanos, this::attemptAgain);
			}
		}
		if (!waits) {
			unwatch();
		}
	}

	private void unwatch() {
		this.context.removeListener(this);
		this.attempting.watches().remove(this.channel, this);
	}

	/**
	 * Called under the lock. What was scheduled before will not happen, even if it has
	 * been handed over.
	 */
	private void schedule(long nanos, IntConsumer action) {
		cancelTimeout();
		int generation = this.generation;
		this.timeout = this.attempting.timer().schedule(nanos, () -> later(() -> action.accept(generation)));
	}

	private void attemptAgain(int scheduled) {
		Failure wait;
		int index = 0;
		synchronized (this) {
			wait = this.waiting;
			if (wait == null || scheduled != this.generation) {
				return;
			}
			if (remainingNanos() <= 0) {
				endWait();
			}
			else {
				this.waiting = null;
				this.timeout = null;
				index = reserve();
			}
		}
		unwatch();
		if (index > 0) {
			begin(index);
		}
		else {
			this.attempting.budget().putBack();
			this.method.method().attemptsEnded(AttemptEnd.DEADLINE);
			tell(wait.attempt, wait.status, wait.trailers);
		}
	}

	private void awaitHedge() {
		if (this.policy instanceof Hedge hedge && !isChained()) {
			long delay = this.method.hedgeDelayNanos(hedge);
			synchronized (this) {
				if (delay < remainingNanos() && mayHedge() && this.timeout == null) {
					schedule(delay, this::hedge);
				}
			}
		}
	}

	/**
	 * Called under the lock.
	 */
	private boolean mayHedge() {
		return this.halfClosed && !this.over && !this.cancelled && this.winner == null && this.inFlight > 0
				&& this.stopped == null && this.made < this.policy.maxAttempts();
	}

	private void hedge(int scheduled) {
		boolean refused = isRefused() || this.context.isCancelled();
		AttemptEnd end = null;
		int index = 0;
		synchronized (this) {
			if (scheduled != this.generation) {
				return;
			}
			this.timeout = null;
			if (refused || !mayHedge() || remainingNanos() <= 0) {
				return;
			}
			if (this.method.method().isAttemptedByChannel()) {
				end = AttemptEnd.CHANNEL;
			}
			else if (!this.attempting.budget().tryTake()) {
				end = AttemptEnd.BUDGET;
			}
			else {
				index = reserve();
			}
			this.stopped = end;
		}
		if (end != null) {
			this.stopCounted = true;
			this.method.method().attemptsEnded(end);
		}
		else {
			begin(index);
		}
	}

	/**
	 * Whether an attempt would be refused before it is sent: beside one that is in flight
	 * it is not worth a part of the budget.
	 */
	private boolean isRefused() {
		AttemptGate gate = this.method.method().gate();
		return gate != null && gate.refusesNow();
	}

	/**
	 * Begins an attempt that was reserved.
	 */
	private void begin(int index) {
		this.method.method().attemptCounts().further();
		Attempt attempt = null;
		Context previous = this.context.attach();
		try {
			attempt = newAttempt(index);
			synchronized (this) {
				attempt.doomed = this.cancelled || this.over || this.winner != null;
				// Attempts that do not overlap need not be remembered.
				attempt.previous = (this.policy instanceof Hedge) ? this.latest : null;
				this.latest = attempt;
			}
			feed(attempt);
			awaitHedge();
		}
		catch (RuntimeException | Error ex) {
			broken(attempt, ex);
		}
		finally {
			this.context.detach(previous);
		}
	}

	/**
	 * An interceptor of the channel threw when an attempt was begun, where no caller can
	 * be thrown at.
	 */
	private void broken(@Nullable Attempt attempt, Throwable thrown) {
		synchronized (this) {
			if (attempt != null && attempt.closed) {
				return;
			}
			if (attempt != null) {
				attempt.closed = true;
				attempt.cancelTimeout();
			}
			this.inFlight--;
		}
		if (attempt != null) {
			cancelQuietly(attempt, Status.CANCELLED.withDescription("broken").withCause(thrown));
		}
		else {
			this.attempting.budget().putBack();
		}
		synchronized (this) {
			if (this.over || this.winner != null || this.inFlight > 0) {
				return;
			}
			this.over = true;
			cancelTimeout();
		}
		tell(null, Status.fromThrowable(thrown), new Metadata());
	}

	/**
	 * What cannot be cancelled must not cost the caller its answer.
	 */
	private static void cancelQuietly(AttemptedCall<?, ?>.Attempt attempt, Status status) {
		try {
			attempt.call.cancel(status.getDescription(), status.getCause());
		}
		catch (RuntimeException ex) {
			// An interceptor that does not know the call: then there is nothing to end.
		}
	}

	/**
	 * Tells the listener of the end from outside of an attempt's callbacks.
	 * @param attempt the attempt that the caller sees; {@code null} for none
	 */
	private void tell(@Nullable Attempt attempt, Status status, Metadata trailers) {
		execute(() -> deliver(attempt, status, trailers));
	}

	/**
	 * Runs a callback on the executor of the call: a blocking stub wakes for no other.
	 */
	private void execute(Runnable callback) {
		Executor own = (this.callbacks != null) ? this.callbacks : this.options.getExecutor();
		Runnable task = this.context.wrap(callback);
		try {
			((own != null) ? own : this.attempting.executor()).execute(task);
		}
		catch (RejectedExecutionException ex) {
			this.attempting.executor().execute(task);
		}
	}

	/**
	 * Tells the listener something of the winner, in its callbacks or in their order.
	 */
	private void listen(Attempt attempt, Consumer<Listener<RespT>> told) {
		if (this.callbacks == null) {
			told.accept(listener());
			return;
		}
		execute(() -> {
			try {
				told.accept(listener());
			}
			catch (RuntimeException | Error ex) {
				// As grpc-java does with a listener that throws.
				attempt.call.cancel("Failed to read message.", ex);
			}
		});
	}

	@SuppressWarnings("NullAway") // no attempt is started before there is a listener
	private Listener<RespT> listener() {
		return this.listener;
	}

	/**
	 * Tells the listener what an attempt has held back, and the end.
	 */
	private void deliver(@Nullable Attempt attempt, Status status, Metadata trailers) {
		Listener<RespT> listener = listener();
		Status end = status;
		try {
			if (attempt != null) {
				attempt.deliverHeld(listener);
			}
		}
		catch (RuntimeException | Error ex) {
			// As grpc-java answers a listener that throws.
			end = Status.CANCELLED.withDescription("Failed to read message.").withCause(ex);
		}
		boolean timedOut = attempt != null && attempt.isTimedOut(end);
		listener.onClose(end, (timedOut && !StatusDetails.isPresent(trailers)) ? explained(end, trailers) : trailers);
	}

	/**
	 * Says that it was an attempt's timeout, and not the deadline of the call.
	 */
	private Metadata explained(Status status, Metadata trailers) {
		Metadata explained = new Metadata();
		explained.merge(trailers);
		String client = this.method.method().client();
		StatusDetails.put(explained, status, Reason.DEADLINE_EXCEEDED,
				Map.of("method", this.method.method().name(), "client", (client != null) ? client : "", "side",
						"client", "attempt_timeout_ms",
						Long.toString(TimeUnit.NANOSECONDS.toMillis(attemptTimeoutNanos()))));
		return explained;
	}

	/** What an attempt is to be given next. */
	private enum Step {

		START, DROP, CANCEL, COMPRESSION, REQUEST, SEND, HALF_CLOSE, NONE

	}

	/**
	 * What follows the end of an attempt. Immutable.
	 *
	 * @param ends whether the call ends
	 * @param index attempts made before the one that begins at once; zero if none does
	 * @param waitNanos how long to wait for another attempt; zero for no wait
	 * @param end why there is no further attempt; {@code null} if there is no need of one
	 * @param marks whether the failure says that there shall be no further attempt
	 */
	private record Next(boolean ends, int index, long waitNanos, @Nullable AttemptEnd end, boolean marks) {

		private static final Next END = new Next(true, 0, 0, null, false);

		private static final Next NOTHING = new Next(false, 0, 0, null, false);

		static Next again(int index) {
			return new Next(false, index, 0, null, false);
		}

		static Next after(long nanos) {
			return new Next(false, 0, nanos, null, false);
		}

		static Next end(AttemptEnd end, int maxAttempts) {
			return (maxAttempts > 1)
					? new Next(true, 0, 0, end, end != AttemptEnd.DEADLINE && end != AttemptEnd.CIRCUIT) : END;
		}

	}

	private final class Failure {

		private final Attempt attempt;

		private final Status status;

		private final Metadata trailers;

		Failure(Attempt attempt, Status status, Metadata trailers) {
			this.attempt = attempt;
			this.status = status;
			this.trailers = trailers;
		}

	}

	/**
	 * One attempt, which listens to its own call. Called on the call's executor.
	 */
	private final class Attempt extends Listener<RespT> {

		private final int index;

		private final ClientCall<ReqT, RespT> call;

		/** Whether it ends before the call's deadline does. */
		private final boolean shortened;

		// Guarded by the call's monitor:

		private @Nullable Attempt previous;

		private boolean feeding;

		private boolean started;

		/** Its call has been started, so that it may be asked about. */
		private boolean live;

		private boolean closed;

		private boolean doomed;

		private boolean cancelled;

		private boolean expired;

		private @Nullable Boolean compression;

		private int requested;

		private boolean messageSent;

		private boolean halfClosed;

		private @Nullable Timeout headersTimeout;

		// Confined to the callbacks, until the attempt has closed:

		private @Nullable Metadata responseHeaders;

		private @Nullable RespT response;

		private boolean responded;

		Attempt(int index, ClientCall<ReqT, RespT> call, boolean shortened) {
			this.index = index;
			this.call = call;
			this.shortened = shortened;
		}

		/**
		 * Whether no server has seen the attempt, for all that is known.
		 */
		boolean isUnsent(Metadata trailers) {
			return this.responseHeaders == null && trailers.keys().isEmpty()
					&& this.call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) == null;
		}

		boolean isTimedOut(Status status) {
			return status.getCode() == Status.Code.DEADLINE_EXCEEDED && (this.shortened || this.expired);
		}

		void cancelTimeout() {
			if (this.headersTimeout != null) {
				this.headersTimeout.cancel();
			}
		}

		@SuppressWarnings("NullAway") // a message that came is what it is
		void deliverHeld(Listener<RespT> listener) {
			if (this.responseHeaders != null) {
				listener.onHeaders(this.responseHeaders);
			}
			if (this.responded) {
				listener.onMessage(this.response);
			}
		}

		@Override
		public void onHeaders(Metadata headers) {
			if (AttemptedCall.this.unary) {
				this.responseHeaders = headers;
			}
			else if (win(this)) {
				listen(this, (listener) -> listener.onHeaders(headers));
			}
		}

		@Override
		public void onMessage(RespT message) {
			if (!AttemptedCall.this.unary) {
				if (win(this)) {
					listen(this, (listener) -> listener.onMessage(message));
				}
				return;
			}
			if (this.responded) {
				throw Status.INTERNAL.withDescription("More than one value received for unary call")
					.asRuntimeException();
			}
			this.responded = true;
			this.response = message;
		}

		@Override
		public void onReady() {
			boolean current;
			synchronized (AttemptedCall.this) {
				current = !AttemptedCall.this.over && (AttemptedCall.this.winner == this
						|| (AttemptedCall.this.winner == null && AttemptedCall.this.latest == this));
			}
			if (current) {
				listen(this, Listener::onReady);
			}
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			closed(this, status, trailers);
		}

	}

}
