package io.github.grpcresilience.deadline;

import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.method.ServedCall;
import io.github.grpcresilience.time.Timeout;
import io.github.grpcresilience.time.Timer;

/**
 * A request that is being served and is no gRPC call. What runs in its {@link #context()}
 * inherits its budget, and stops when the budget is over or the client has left; what
 * goes on after the answer is left alone. It ends once: by its answer or because its
 * client left, whichever is first. Safe for concurrent use.
 */
public final class ServedRequest implements ServedCall {

	private final Executor cancellations;

	private final Runnable onEnd;

	private final AtomicBoolean ended = new AtomicBoolean();

	/** Nothing runs in it: the answer cancels it, and must not cancel what goes on. */
	private @Nullable CancellableContext own;

	private Context context = Context.ROOT;

	private @Nullable Timeout timeout;

	ServedRequest(Executor cancellations, Runnable onEnd) {
		this.cancellations = cancellations;
		this.onEnd = onEnd;
	}

	/**
	 * Called once, before anybody else sees the request.
	 */
	void begin(CancellableContext own, Context work, Timer timer) {
		this.own = own;
		this.context = work;
		Deadline deadline = own.getDeadline();
		if (deadline != null) {
			this.timeout = timer.schedule(deadline.timeRemaining(TimeUnit.NANOSECONDS), this::timeOut);
		}
	}

	/**
	 * The Context in which the request is served.
	 * @return the Context, to attach on whatever thread works for the request
	 */
	public Context context() {
		return this.context;
	}

	/**
	 * Stops the work, as nobody waits for it for longer. The request goes on, to be
	 * answered. Returns at once.
	 */
	public void timeOut() {
		this.cancellations.execute(() -> {
			CancellableContext running = this.own;
			if (running != null && !this.ended.get()) {
				running.cancel(new TimeoutException("the request's budget ended before its work did"));
			}
		});
	}

	/**
	 * The request was answered, in whatever way.
	 * @return {@code false} if it had ended before
	 */
	public boolean end() {
		if (!release()) {
			return false;
		}
		CancellableContext running = this.own;
		if (running != null) {
			running.cancel(null);
		}
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
		CancellableContext running = this.own;
		if (running != null) {
			this.cancellations.execute(
					() -> running.cancel(Status.CANCELLED.withDescription("the client left").asRuntimeException()));
		}
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

	@Override
	public boolean hasEnded() {
		return this.ended.get();
	}

	@Override
	public boolean isInterruptible() {
		return false;
	}

	/**
	 * Listeners go to a Context whose parents cannot be cancelled, so none leaves
	 * anything behind.
	 */
	@Override
	public void anchor() {
		// nothing to prepare
	}

	/**
	 * Asked for once, for the Context of the request itself.
	 */
	@Override
	public Context workContext(Context begun, UnaryOperator<Context> factory) {
		return factory.apply(begun);
	}

}
