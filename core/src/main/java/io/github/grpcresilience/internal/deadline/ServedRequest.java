package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.time.Timeout;
import io.github.grpcresilience.internal.time.Timer;

/**
 * A request that is being served and is no gRPC call. What runs in its {@link #scope()}
 * inherits its budget, and stops when the budget is over or the client has left; what
 * goes on after the answer is left alone. It ends once: by its answer or because its
 * client left, whichever is first. Safe for concurrent use.
 */
public final class ServedRequest {

	private final CallRecord record;

	private final CallScope scope;

	private final Executor cancellations;

	private final Runnable onEnd;

	private final AtomicBoolean ended = new AtomicBoolean();

	/** Written before anybody else sees the request. */
	private @Nullable Timeout timeout;

	ServedRequest(CallRecord record, Executor cancellations, Runnable onEnd) {
		this.record = record;
		this.scope = CallScope.ofHandler(record);
		this.cancellations = cancellations;
		this.onEnd = onEnd;
	}

	/**
	 * Called once, before anybody else sees the request.
	 */
	void begin(Timer timer) {
		long left = this.record.remainingNanos();
		if (left != CallRecord.UNLIMITED) {
			this.timeout = timer.schedule(left, this::timeOut);
		}
	}

	/**
	 * The piece of work that serves the request.
	 * @return the scope, to enter on whatever thread works for the request
	 */
	public CallScope scope() {
		return this.scope;
	}

	/**
	 * What is known of the request.
	 * @return its record
	 */
	public CallRecord record() {
		return this.record;
	}

	/**
	 * Time that is left of the budget.
	 * @param unit unit of the result
	 * @return the time, negative once the budget is over; {@code Long.MAX_VALUE} if there
	 * is none
	 */
	public long remaining(TimeUnit unit) {
		long nanos = this.record.remainingNanos();
		return (nanos != CallRecord.UNLIMITED) ? unit.convert(nanos, TimeUnit.NANOSECONDS) : Long.MAX_VALUE;
	}

	/**
	 * Stops the work, as nobody waits for it for longer. The request goes on, to be
	 * answered. Returns at once.
	 */
	public void timeOut() {
		end(true);
	}

	private void end(boolean timedOut) {
		if (this.record.end(timedOut)) {
			this.cancellations.execute(this.record::tell);
		}
	}

	/**
	 * The request was answered, in whatever way.
	 * @return {@code false} if it had ended before
	 */
	public boolean end() {
		if (!release()) {
			return false;
		}
		this.record.answer();
		return true;
	}

	/**
	 * The client left: stops the work. Returns at once.
	 * @return {@code false} if the request had ended before
	 */
	public boolean leave() {
		if (!release()) {
			return false;
		}
		end(false);
		return true;
	}

	private boolean release() {
		if (!this.ended.compareAndSet(false, true)) {
			return false;
		}
		Timeout pending = this.timeout;
		if (pending != null) {
			pending.cancel();
		}
		this.onEnd.run();
		return true;
	}

	/**
	 * Whether the request was answered or its client has left.
	 * @return {@code true} once that is so
	 */
	public boolean hasEnded() {
		return this.ended.get();
	}

}
