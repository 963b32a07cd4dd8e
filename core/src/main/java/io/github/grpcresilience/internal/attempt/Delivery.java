package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.CallOptions;
import io.grpc.ClientCall.Listener;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.status.StatusDetails;

/**
 * Tells the listener of a call what becomes of it: in the callbacks of the attempt that
 * has won, or, once attempts overlap, on the executor of the call and in the order of
 * those callbacks. No code of others runs under a lock.
 *
 * <p>
 * Owned by an {@link AttemptedCall}, which sees to it that only the winner's callbacks
 * tell anything, or, while no attempt is in flight, whoever ends the call.
 */
final class Delivery<RespT> {

	private final AttemptedCall<?, RespT> call;

	/** Of the first attempt, where others may be made beside it. */
	private final @Nullable AttemptExecutor first;

	/** Written before the first attempt is started. */
	private @Nullable Listener<RespT> listener;

	/**
	 * Where the listener is told once attempts have an executor of their own; absent
	 * before. Written before such an attempt is made, under the monitor of this object.
	 */
	private volatile @Nullable Executor ordered;

	/**
	 * Prepares to tell.
	 * @param call the call, of which everything but its attempts is known
	 */
	Delivery(AttemptedCall<?, RespT> call) {
		this.call = call;
		Executor own = call.options().getExecutor();
		this.first = (own != null && call.method().rules().overlap()) ? new AttemptExecutor(own, attemptExecutor())
				: null;
	}

	private Executor attemptExecutor() {
		return this.call.method().client().executor();
	}

	private Executor callExecutor() {
		Executor own = this.call.options().getExecutor();
		return (own != null) ? own : attemptExecutor();
	}

	void to(Listener<RespT> listener) {
		this.listener = listener;
	}

	/**
	 * Gives an attempt its executor: that of the call to one that is alone, and another
	 * one to those that overlap (decision 20).
	 * @param index attempts that were made before it
	 */
	CallOptions executing(CallOptions options, int index) {
		if (this.first == null) {
			return options;
		}
		return options.withExecutor((index == 0) ? this.first : attemptExecutor());
	}

	/**
	 * There will be another attempt. Where it may overlap with the first one, the
	 * listener is told on the executor of the call from now on, and no longer in
	 * callbacks of attempts.
	 * @param executor runs what has come back and waits for the executor of the call
	 */
	void accompany(Executor executor) {
		if (this.first != null) {
			keepOrder();
			this.first.accompany(executor);
		}
	}

	private synchronized void keepOrder() {
		if (this.ordered == null) {
			this.ordered = MoreExecutors.newSequentialExecutor(callExecutor());
		}
	}

	@SuppressWarnings("NullAway") // no attempt is started before there is a listener
	private Listener<RespT> listener() {
		return this.listener;
	}

	/**
	 * Tells the headers of the winner, in its callback.
	 */
	void headers(Attempt<?, RespT> winner, Metadata headers) {
		if (this.ordered == null) {
			listener().onHeaders(headers);
		}
		else {
			inOrder(winner, (listener) -> listener.onHeaders(headers));
		}
	}

	/**
	 * Tells a message of the winner, in its callback.
	 */
	void message(Attempt<?, RespT> winner, RespT message) {
		if (this.ordered == null) {
			listener().onMessage(message);
		}
		else {
			inOrder(winner, (listener) -> listener.onMessage(message));
		}
	}

	/**
	 * Tells that the winner takes messages, in its callback.
	 */
	void ready(Attempt<?, RespT> winner) {
		if (this.ordered == null) {
			listener().onReady();
		}
		else {
			inOrder(winner, Listener::onReady);
		}
	}

	/**
	 * Tells the end of a winner of which nothing was held back, in its callback.
	 */
	void close(Attempt<?, RespT> winner, Status status, Metadata trailers) {
		if (this.ordered == null) {
			listener().onClose(status, trailers);
		}
		else {
			inOrder(winner, (listener) -> listener.onClose(status, trailers));
		}
	}

	private void inOrder(Attempt<?, RespT> winner, Consumer<Listener<RespT>> told) {
		execute(() -> {
			try {
				told.accept(listener());
			}
			catch (RuntimeException | Error ex) {
				// As grpc-java does with a listener that throws.
				winner.call().cancel("Failed to read message.", ex);
			}
		});
	}

	/**
	 * Tells what the winner has held back, and its end, in its callback.
	 */
	void end(Attempt<?, RespT> winner, Status status, Metadata trailers) {
		if (this.ordered == null) {
			deliver(winner, status, trailers);
		}
		else {
			endOutside(winner, status, trailers);
		}
	}

	/**
	 * Tells the end from outside of an attempt's callbacks.
	 * @param attempt the attempt that the caller sees; {@code null} for none
	 */
	void endOutside(@Nullable Attempt<?, RespT> attempt, Status status, Metadata trailers) {
		execute(() -> deliver(attempt, status, trailers));
	}

	/**
	 * Runs a callback on the executor of the call: a blocking stub wakes for no other.
	 */
	void execute(Runnable callback) {
		Executor executor = this.ordered;
		Runnable task = this.call.context().wrap(callback);
		try {
			((executor != null) ? executor : callExecutor()).execute(task);
		}
		catch (RejectedExecutionException ex) {
			attemptExecutor().execute(task);
		}
	}

	private void deliver(@Nullable Attempt<?, RespT> attempt, Status status, Metadata trailers) {
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
		listener.onClose(end, (timedOut && !StatusDetails.isPresent(trailers))
				? this.call.method().explained(end, trailers) : trailers);
	}

}
