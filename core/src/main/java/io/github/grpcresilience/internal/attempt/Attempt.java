package io.github.grpcresilience.internal.attempt;

import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeoutException;

import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.time.Timeout;

/**
 * One attempt of a call, which listens to its own {@link ClientCall}: what was done to
 * it, and what has come back. A unary answer is held back until the attempt closes.
 *
 * <p>
 * One thread at a time <em>feeds</em> it: takes the next {@link Step} under the monitor
 * of the call and performs it outside of it. The call beneath calls back on its executor,
 * one callback at a time.
 */
final class Attempt<ReqT, RespT> extends ClientCall.Listener<RespT> {

	/** What an attempt is to be given next. */
	enum Step {

		START, DROP, CANCEL, COMPRESSION, REQUEST, SEND, HALF_CLOSE

	}

	/** How long an attempt waits for a connection after one that has found none. */
	static final long READY_NANOS = 1_000_000_000;

	/** The answer, and one more that would be a mistake, as stubs ask. */
	private static final int UNARY_MESSAGES = 2;

	private final AttemptedCall<ReqT, RespT> owner;

	private final CallerActions<ReqT> actions;

	private final ClientCall<ReqT, RespT> call;

	private final SentWatch watch;

	/** Attempts that count and were made before it. */
	private final int index;

	private final Patience patience;

	/** Whether its own deadline comes before that of the call. */
	private final boolean shortened;

	// Guarded by the monitor of the owner:

	/** The one that was begun before it, where attempts overlap. */
	private @Nullable Attempt<ReqT, RespT> previous;

	private boolean started;

	/** Its call has been started, so that it may be asked about. */
	private boolean live;

	private boolean closed;

	/** It shall be cancelled, or not even be started. */
	private boolean doomed;

	private boolean cancelled;

	/** What it has time for did not come. */
	private boolean expired;

	/** No connection came while it waited for one. */
	private boolean unready;

	/** The channel makes attempts itself, after ours had begun to. */
	private boolean leftToChannel;

	/** It is counted among those that wait for a connection. */
	private boolean waits;

	private @Nullable Boolean compression;

	private boolean messageSent;

	private boolean halfClosed;

	private @Nullable Timeout timeout;

	private @Nullable Timeout readyTimeout;

	// Written under the monitor of the owner, and read by the thread that feeds:

	/** What is being done to it; absent while nobody feeds it. */
	private @Nullable Step step;

	private int requested;

	/** How many messages the present step asks for. */
	private int requests;

	// Confined to the callbacks, until it has closed:

	private @Nullable Metadata headers;

	private @Nullable RespT response;

	private boolean responded;

	/** The caller has been told of it, before its end. */
	private boolean told;

	Attempt(AttemptedCall<ReqT, RespT> owner, CallerActions<ReqT> actions, ClientCall<ReqT, RespT> call,
			SentWatch watch, int index, Patience patience, boolean shortened) {
		this.owner = owner;
		this.actions = actions;
		this.call = call;
		this.watch = watch;
		this.index = index;
		this.patience = patience;
		this.shortened = shortened;
		watch.watch(this);
	}

	ClientCall<ReqT, RespT> call() {
		return this.call;
	}

	SentWatch watch() {
		return this.watch;
	}

	/**
	 * Whether there was another attempt before it, as those count who are told of
	 * attempts: one that is made anew because its time ran out before it was sent is the
	 * same one.
	 */
	boolean isFurther() {
		return this.index > 0 || this.patience == Patience.UNTIL_READY;
	}

	private boolean isFirst() {
		return this.index == 0 && this.patience == Patience.NONE;
	}

	Patience patience() {
		return this.patience;
	}

	/**
	 * Puts it in front of the one that was begun before it. Called under the lock.
	 */
	void follow(Attempt<ReqT, RespT> previous) {
		this.previous = previous;
	}

	@Nullable Attempt<ReqT, RespT> previous() {
		return this.previous;
	}

	/**
	 * Takes the next step, for a thread that feeds no attempt yet. Called under the lock.
	 * @return {@code false} if there is none, or another thread is at it
	 */
	boolean claim() {
		return this.step == null && advance();
	}

	/**
	 * Takes the step after the one that was performed. Called under the lock, by the
	 * thread that feeds it.
	 * @return {@code false} if there is none, so that the thread lets go of it
	 */
	boolean advance() {
		// Not before: while it starts it must not be asked.
		this.live |= this.step == Step.START;
		this.step = nextStep();
		return this.step != null;
	}

	private @Nullable Step nextStep() {
		if (this.closed || !this.actions.isStarted()) {
			return null;
		}
		if (!this.started) {
			this.started = true;
			return (this.doomed && !isFirst()) ? Step.DROP : Step.START;
		}
		if (this.doomed) {
			boolean told = this.cancelled;
			this.cancelled = true;
			return told ? null : Step.CANCEL;
		}
		if (this.actions.compression() != null && !this.actions.compression().equals(this.compression)) {
			this.compression = this.actions.compression();
			return Step.COMPRESSION;
		}
		if (this.actions.requested() > this.requested) {
			this.requests = this.actions.requested() - this.requested;
			this.requested = this.actions.requested();
			return Step.REQUEST;
		}
		if (this.actions.isMessageSent() && !this.messageSent) {
			this.messageSent = true;
			return Step.SEND;
		}
		if (this.actions.isHalfClosed() && !this.halfClosed) {
			this.halfClosed = true;
			return Step.HALF_CLOSE;
		}
		return null;
	}

	/**
	 * Does what was taken. Called outside of the lock, since it calls interceptors; if
	 * one of them throws, the thread lets go of the attempt.
	 */
	void perform() {
		boolean performed = false;
		try {
			perform(this.step);
			performed = true;
		}
		finally {
			if (!performed) {
				synchronized (this.owner) {
					this.step = null;
				}
			}
		}
	}

	private void perform(@Nullable Step taken) {
		if (taken == null) {
			return;
		}
		switch (taken) {
			case START -> start();
			case DROP -> drop();
			case CANCEL -> cancelQuietly(cancelStatus());
			case COMPRESSION -> this.call.setMessageCompression(Boolean.TRUE.equals(this.compression));
			case REQUEST -> this.call.request(this.requests);
			case SEND -> this.call.sendMessage(this.actions.message());
			case HALF_CLOSE -> this.call.halfClose();
		}
	}

	private void start() {
		if (this.patience == Patience.UNTIL_READY) {
			awaitReady(this.owner.method().client());
		}
		this.call.start(this, this.actions.headersOf(isFirst(), this.index));
		if (this.owner.isUnary()) {
			this.call.request(UNARY_MESSAGES);
		}
		if (!this.shortened && this.owner.isShortened()) {
			awaitAnswer(this.owner.method().attemptTimeoutNanos());
		}
	}

	/**
	 * Bounds the time to the response headers of a stream, and to the end of what is
	 * unary.
	 */
	private void awaitAnswer(long nanos) {
		synchronized (this.owner) {
			if (!this.closed && this.owner.race().isOpen()) {
				ClientAttempts client = this.owner.method().client();
				this.timeout = client.timer().schedule(nanos, () -> client.executor().execute(this::ring));
			}
		}
	}

	/**
	 * The time for an answer is over, unless it began later.
	 */
	private void ring() {
		long nanos = this.owner.method().attemptTimeoutNanos();
		if (!this.watch.isSent()) {
			this.watch.whenSent(() -> awaitAnswer(nanos));
			return;
		}
		long rest = this.watch.restNanos(nanos);
		if (rest > SentWatch.SOON_NANOS) {
			awaitAnswer(rest);
		}
		else {
			giveUp(() -> this.expired = true);
		}
	}

	/**
	 * Bounds the time to a connection.
	 */
	private void awaitReady(ClientAttempts client) {
		synchronized (this.owner) {
			if (this.closed || !this.owner.race().isOpen()) {
				return;
			}
			this.waits = true;
			this.readyTimeout = client.timer().schedule(READY_NANOS, () -> client.executor().execute(this::endWaiting));
		}
		client.channels().beginWaiting();
	}

	private void endWaiting() {
		synchronized (this.owner) {
			stopWaiting();
		}
		if (!this.watch.isSent()) {
			giveUp(() -> this.unready = true);
		}
	}

	/**
	 * Called under the lock.
	 */
	private void stopWaiting() {
		if (this.waits) {
			this.waits = false;
			this.owner.method().client().channels().endWaiting();
		}
	}

	/**
	 * The channel repeats it. Gives it up if there were other attempts of the call: no
	 * call is repeated by two.
	 */
	void repeatedByChannel() {
		boolean both;
		synchronized (this.owner) {
			both = isFurther() || this.owner.race().made() > 1;
		}
		if (both) {
			giveUp(() -> this.leftToChannel = true);
		}
	}

	/**
	 * Has it cancelled, if it is still open whether the caller sees it.
	 * @param because notes why, under the lock
	 */
	private void giveUp(Runnable because) {
		boolean due;
		synchronized (this.owner) {
			if (this.closed || this.doomed || this.owner.race().winner() != null) {
				return;
			}
			because.run();
			this.doomed = true;
			due = claim();
		}
		if (due) {
			this.owner.feedOne(this);
		}
	}

	/**
	 * What cannot be cancelled must not cost the caller its answer.
	 */
	void cancelQuietly(Status status) {
		try {
			this.call.cancel(status.getDescription(), status.getCause());
		}
		catch (RuntimeException ex) {
			// An interceptor that does not know the call: then there is nothing to end.
		}
	}

	/**
	 * Has it cancelled, or not started. Called under the lock.
	 */
	void doom() {
		this.doomed = true;
	}

	/**
	 * Called under the lock.
	 */
	boolean isExpired() {
		return this.expired;
	}

	/**
	 * It has ended. Called under the lock.
	 * @return {@code false} if it had before
	 */
	boolean close() {
		boolean first = !this.closed;
		this.closed = true;
		cancelTimeouts();
		return first;
	}

	/**
	 * Whether it may be asked if it is ready. Called under the lock.
	 */
	boolean isOpen() {
		return this.live && !this.closed;
	}

	/**
	 * Called under the lock.
	 */
	boolean isClosed() {
		return this.closed;
	}

	/**
	 * Called under the lock.
	 */
	void cancelTimeouts() {
		if (this.timeout != null) {
			this.timeout.cancel();
		}
		if (this.readyTimeout != null) {
			this.readyTimeout.cancel();
			stopWaiting();
		}
	}

	/**
	 * Ends it before it is started. It is cancelled nevertheless: the channel may hold on
	 * to it.
	 */
	private void drop() {
		Status status = cancelStatus();
		cancelQuietly(status);
		this.owner.delivery().execute(() -> this.owner.closed(this, status, new Metadata()));
	}

	private Status cancelStatus() {
		synchronized (this.owner) {
			if (this.actions.cancelled() != null) {
				return this.actions.cancelled();
			}
			return (this.expired || this.unready)
					// What counts failures takes any other cancel for the caller's.
					? Status.CANCELLED.withDescription(lateness()).withCause(new TimeoutException())
					: Status.CANCELLED.withDescription("another attempt goes on instead");
		}
	}

	private String lateness() {
		if (this.unready) {
			return "no connection in time";
		}
		return this.owner.isUnary() ? "no answer in time" : "no response headers in time";
	}

	/**
	 * How it has ended, if nobody but its own timeout gave it up.
	 */
	Status endOf(Status received) {
		if (received.isOk()) {
			return received;
		}
		synchronized (this.owner) {
			return (this.expired && !this.actions.isCancelled()) ? Status.DEADLINE_EXCEEDED.withDescription(lateness())
					: named(received);
		}
	}

	/**
	 * A connection that closes while a call is opened on it ends all its calls with
	 * UNKNOWN, which no server has said.
	 */
	private static Status named(Status received) {
		boolean closed = received.getCode() == Status.Code.UNKNOWN
				&& received.getCause() instanceof ClosedChannelException;
		return closed ? Status.UNAVAILABLE.withDescription(received.getDescription()).withCause(received.getCause())
				: received;
	}

	/**
	 * Why the call has no other end than that of the attempt before, although this one
	 * could have been followed by others. Called under the lock.
	 * @param status how it has closed
	 * @param unsent whether no server has seen it
	 * @return {@code null} if it has an end of its own
	 */
	@Nullable AttemptEnd endWithout(Status status, boolean unsent) {
		if (this.leftToChannel) {
			return AttemptEnd.CHANNEL;
		}
		boolean late = status.getCode() == Status.Code.DEADLINE_EXCEEDED;
		return (this.unready || (late && unsent && this.patience == Patience.UNTIL_READY)) ? AttemptEnd.NO_CONNECTION
				: null;
	}

	/**
	 * Whether a server may have seen it, for all that is known. Asked when it has closed.
	 */
	boolean isSent() {
		return this.headers != null || this.responded
				|| (this.watch.isAttached() ? this.watch.isSent() : hadConnection());
	}

	private boolean hadConnection() {
		try {
			return this.call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) != null;
		}
		catch (NullPointerException ex) {
			// Refused by an xDS route: gRPC tells the end before it has a call to ask.
			return false;
		}
	}

	/**
	 * Whether its own deadline came before it was sent. Asked when it has closed.
	 */
	boolean isTooEarly(Status status, boolean unsent) {
		return this.shortened && unsent && status.getCode() == Status.Code.DEADLINE_EXCEEDED;
	}

	/**
	 * Whether it ended for its own timeout. Asked when it has closed.
	 */
	boolean isTimedOut(Status status) {
		return status.getCode() == Status.Code.DEADLINE_EXCEEDED && (this.shortened || this.expired);
	}

	/**
	 * Tells a listener what was held back. Called when it has closed.
	 */
	@SuppressWarnings("NullAway") // a message that came is what it is
	void deliverHeld(ClientCall.Listener<RespT> listener) {
		if (this.headers != null) {
			listener.onHeaders(this.headers);
		}
		if (this.responded) {
			listener.onMessage(this.response);
		}
	}

	/**
	 * Whether the caller sees it, and no other one, from now on.
	 */
	private boolean win() {
		this.told = this.told || this.owner.win(this);
		return this.told;
	}

	boolean isTold() {
		return this.told;
	}

	@Override
	public void onHeaders(Metadata headers) {
		if (this.owner.isUnary()) {
			this.headers = headers;
		}
		else if (win()) {
			this.owner.delivery().headers(this, headers);
		}
	}

	@Override
	public void onMessage(RespT message) {
		if (!this.owner.isUnary()) {
			if (win()) {
				this.owner.delivery().message(this, message);
			}
			return;
		}
		if (this.responded) {
			throw Status.INTERNAL.withDescription("More than one value received for unary call").asRuntimeException();
		}
		this.responded = true;
		this.response = message;
	}

	@Override
	public void onReady() {
		if (this.owner.isSeen(this)) {
			this.owner.delivery().ready(this);
		}
	}

	@Override
	public void onClose(Status status, Metadata trailers) {
		this.owner.closed(this, status, trailers);
	}

}
