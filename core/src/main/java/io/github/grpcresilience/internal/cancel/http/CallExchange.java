package io.github.grpcresilience.internal.cancel.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallRecord.EndListener;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Grace;
import io.github.grpcresilience.internal.cancel.CallEnd;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.time.Timeout;

/**
 * One HTTP request with its response, body included, that a call waits for. It is told to
 * stop when nobody waits for the call any more. Safe for concurrent use.
 */
public final class CallExchange implements EndListener, AutoCloseable {

	private static final ThreadLocal<@Nullable CallExchange> CURRENT = new ThreadLocal<>();

	private static final long MAX_DELAY_MILLIS = 64;

	private final CallScope scope;

	private final CallRecord call;

	private final WorkCanceller canceller;

	private final BudgetHeader budget;

	private final long begunNanos;

	/** Written before anybody else sees the exchange. */
	private CallRecord.@Nullable Registration registration;

	/** What stops it when its grace is over; null if it has none. */
	@GuardedBy("this")
	private @Nullable Timeout grace;

	/** It goes on after the end of its call. */
	@GuardedBy("this")
	private boolean late;

	@GuardedBy("this")
	private final List<Runnable> stops = new ArrayList<>(2);

	/** The thread that sends, null if none does. */
	@GuardedBy("this")
	private @Nullable Thread waiting;

	/** It was interrupted by us. */
	@GuardedBy("this")
	private boolean interrupted;

	@GuardedBy("this")
	private boolean ended;

	private volatile boolean stopped;

	/** What a host was told last; null if none was told. */
	private volatile @Nullable String told;

	CallExchange(CallScope scope, WorkCanceller canceller, BudgetHeader budget) {
		this.scope = scope;
		this.call = scope.call();
		this.canceller = canceller;
		this.budget = budget;
		this.begunNanos = canceller.nanoTime();
	}

	/**
	 * Begins, before anybody else sees the exchange.
	 * @return {@code false} if nothing may be changed
	 * @throws IOException if it must not begin
	 */
	boolean begin() throws IOException {
		if (!this.call.hasEnded()) {
			this.registration = this.call.listen(this);
			return true;
		}
		if (!this.canceller.isEnforced()) {
			this.canceller.counts().refused(Work.HTTP_EXCHANGE);
			return false;
		}
		if (!goOnInGrace()) {
			this.canceller.refused(Work.HTTP_EXCHANGE, this.call);
			throw failure(this.call, null);
		}
		return true;
	}

	/**
	 * What cleans up gets through, for a while.
	 */
	private boolean goOnInGrace() {
		long nanos = this.scope.grace(Work.HTTP_EXCHANGE).begin();
		if (nanos == 0) {
			return false;
		}
		synchronized (this) {
			this.late = true;
			if (!this.ended) {
				this.grace = this.canceller.later(nanos, this::stopNow);
			}
		}
		return true;
	}

	/**
	 * The exchange for which {@link #call} runs on this thread.
	 * @return the exchange; empty elsewhere
	 */
	public static Optional<CallExchange> findCurrent() {
		return Optional.ofNullable(CURRENT.get());
	}

	/**
	 * Called on the thread that ends the call, which must not block: it sets flags, and
	 * what may block is handed over.
	 */
	@Override
	public void ended(CallRecord call) {
		boolean young = call.ageAtEndNanos(this.begunNanos) < Grace.YOUNG_NANOS;
		if (!young || !this.canceller.isEnforced() || !goOnInGrace()) {
			stopNow();
		}
	}

	private void stopNow() {
		stop().forEach(this.canceller::cancel);
	}

	/**
	 * Never earlier than the thread waits: an interrupt while it writes would close a
	 * connection that other exchanges use, too.
	 */
	private void interrupt(Predicate<Thread> interruptible, long delayMillis) {
		synchronized (this) {
			if (this.waiting == null) {
				return;
			}
			if (interruptible.test(this.waiting)) {
				this.interrupted = true;
				this.waiting.interrupt();
				return;
			}
		}
		this.canceller.later(TimeUnit.MILLISECONDS.toNanos(delayMillis), () -> this.canceller
			.cancel(() -> interrupt(interruptible, Math.min(2 * delayMillis, MAX_DELAY_MILLIS))));
	}

	private synchronized List<Runnable> stop() {
		if (this.ended) {
			return List.of();
		}
		this.canceller.counts().cancelled(Work.HTTP_EXCHANGE);
		if (!this.canceller.isEnforced()) {
			return List.of();
		}
		this.stopped = true;
		return List.copyOf(this.stops);
	}

	/**
	 * Adds a way to stop the exchange. It runs at most once, on a thread of its own, and
	 * at once if the exchange has been stopped.
	 * @param stop what stops it; may block, may come after the exchange has ended
	 */
	public void stopWith(Runnable stop) {
		synchronized (this) {
			if (!this.stopped) {
				this.stops.add(stop);
				return;
			}
		}
		this.canceller.cancel(stop);
	}

	/**
	 * Whether the exchange was told to stop.
	 * @return {@code true} once it was
	 */
	public boolean isStopped() {
		return this.stopped;
	}

	/**
	 * Sends the request and waits for the headers of its response. The current thread is
	 * interrupted if the exchange is stopped while it waits, and goes on without a trace
	 * of it.
	 * @param <T> type of the response
	 * @param work sends and waits
	 * @param interruptible whether the thread is where an interrupt ends the exchange and
	 * harms no other; asked on another thread, and again while the answer is no
	 * @return the response
	 * @throws IOException what sending or waiting threw, or why it was stopped
	 */
	public <T> T call(Sending<T> work, Predicate<Thread> interruptible) throws IOException {
		stopWith(() -> interrupt(interruptible, 1));
		CallExchange outer = CURRENT.get();
		CURRENT.set(this);
		try {
			beginWait();
			try {
				return work.send();
			}
			catch (IOException | RuntimeException ex) {
				if (isOver()) {
					throw failure(ex);
				}
				throw ex;
			}
			finally {
				endWait();
			}
		}
		finally {
			CURRENT.set(outer);
		}
	}

	/**
	 * Lets reading end when the exchange is stopped. A body that was cut off then ends in
	 * an exception, never as if it were complete.
	 * @param body body of the response
	 * @return the same body
	 */
	public InputStream guard(InputStream body) {
		return new GuardedStream(body, this);
	}

	private synchronized void beginWait() throws IOException {
		throwIfStopped();
		this.waiting = Thread.currentThread();
	}

	private synchronized void endWait() {
		this.waiting = null;
		if (this.interrupted) {
			this.interrupted = false;
			Thread.interrupted();
		}
	}

	void throwIfStopped() throws IOException {
		if (this.stopped) {
			throw failure(null);
		}
	}

	/**
	 * What a host is told of the time that is left.
	 * @param host host of the request; {@code null} if it has none
	 * @return value of the {@linkplain BudgetHeader header}; empty if it is told nothing
	 */
	public Optional<String> findBudget(@Nullable String host) {
		if (!this.canceller.isEnforced()) {
			return Optional.empty();
		}
		Optional<String> value = this.budget.findValue(this.call.remainingNanos(), host);
		this.told = value.orElse(null);
		return value;
	}

	/**
	 * Time that is left of the call, for clients that nothing else stops. Only the
	 * handler is bounded by it: what may go on after the answer has all the time that it
	 * wants then.
	 * @return the time, rounded up, so that the call ends first; empty if there is no
	 * deadline, or if nothing may be changed
	 */
	public Optional<Duration> findRemaining() {
		long left = this.call.remainingNanos();
		if (left == CallRecord.UNLIMITED || !this.canceller.isEnforced() || !this.scope.isHandler()
				|| this.call.hasEnded()) {
			return Optional.empty();
		}
		return Optional.of(Duration.ofMillis(Math.max(0, TimeUnit.NANOSECONDS.toMillis(left)) + 1));
	}

	/**
	 * Whether a request that a redirect sends elsewhere carries on what only the first
	 * host was to be told.
	 * @param host where it leads; {@code null} if that is unknown
	 * @param value value of the header; {@code null} if there is none
	 * @return {@code true} if the header is ours and must be removed
	 */
	public boolean isLeak(@Nullable String host, @Nullable String value) {
		return value != null && value.equals(this.told) && !this.budget.isFor(host);
	}

	/**
	 * The header that tells how much time is left.
	 * @return the header
	 */
	public BudgetHeader budget() {
		return this.budget;
	}

	/**
	 * Why a stopped exchange failed; a handler may let it through.
	 * @param cause what it failed with; {@code null} if it was only told to stop
	 * @return the failure, with a {@link StatusRuntimeException} as its cause
	 */
	public IOException failure(@Nullable Throwable cause) {
		return failure(this.call, (cause != null) ? cause : new CancellationException("told to stop"));
	}

	/**
	 * What an exchange failed with, seen from outside.
	 */
	Throwable explain(Throwable thrown) {
		return isOver() ? failure(thrown) : thrown;
	}

	/**
	 * A timeout of the client's own may come an instant before the exchange is told to
	 * stop.
	 */
	boolean isOver() {
		return this.stopped || (this.canceller.isEnforced() && this.call.isOver() && !isLate());
	}

	private synchronized boolean isLate() {
		return this.late;
	}

	/**
	 * The failure of an exchange.
	 * @param cause {@code null} if the request was not sent
	 */
	static IOException failure(CallRecord call, @Nullable Throwable cause) {
		StatusRuntimeException failure = CallEnd.failure(call, "HTTP exchange", cause);
		String message = failure.getStatus().getDescription();
		IOException explained = (failure.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED)
				? new HttpTimeoutException(message) : new IOException(message);
		explained.initCause(failure);
		return explained;
	}

	/**
	 * The exchange has ended: nothing stops it any more. Further calls do nothing.
	 */
	@Override
	public void close() {
		synchronized (this) {
			if (this.ended) {
				return;
			}
			this.ended = true;
			if (this.grace != null) {
				this.grace.cancel();
			}
			if (this.late) {
				this.scope.grace(Work.HTTP_EXCHANGE).end(this.call.spentAfterEndNanos(this.begunNanos), this.stopped);
			}
		}
		if (this.registration != null) {
			this.registration.close();
		}
	}

	/**
	 * Sends a request and waits for its response.
	 *
	 * @param <T> type of the response
	 */
	@FunctionalInterface
	public interface Sending<T> {

		/**
		 * Sends and waits.
		 * @return the response
		 * @throws IOException if that fails
		 */
		T send() throws IOException;

	}

}
