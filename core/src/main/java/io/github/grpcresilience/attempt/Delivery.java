package io.github.grpcresilience.attempt;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.ClientCall.Listener;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.status.StatusDetails;

/**
 * Tells the listener of a call what becomes of it: in the callbacks of the attempt that
 * has won, or, where attempts overlap, on the executor of the call and in the order of
 * those callbacks. Takes no lock, and is never called under one.
 *
 * <p>
 * Owned by an {@link AttemptedCall}, which sees to it that only the winner's callbacks
 * tell anything, or, while no attempt is in flight, whoever ends the call.
 */
final class Delivery<RespT> {

	private final MethodAttempts method;

	private final Context context;

	/** Of the call; absent if it has none. */
	private final @Nullable Executor own;

	/**
	 * Where the listener is told, if attempts have an executor of their own: a blocking
	 * stub stops running tasks once it has its answer, and what attempts hold would never
	 * be released. Absent where attempts do not overlap.
	 */
	private final @Nullable Executor ordered;

	/** Written before the first attempt is started. */
	private @Nullable Listener<RespT> listener;

	Delivery(MethodAttempts method, Context context, @Nullable Executor own) {
		this.method = method;
		this.context = context;
		this.own = own;
		this.ordered = (own != null && method.rules().overlap()) ? MoreExecutors.newSequentialExecutor(own) : null;
	}

	void to(Listener<RespT> listener) {
		this.listener = listener;
	}

	boolean isOrdered() {
		return this.ordered != null;
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
		Executor executor = (this.ordered != null) ? this.ordered : this.own;
		Runnable task = this.context.wrap(callback);
		try {
			((executor != null) ? executor : this.method.client().executor()).execute(task);
		}
		catch (RejectedExecutionException ex) {
			this.method.client().executor().execute(task);
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
		listener.onClose(end,
				(timedOut && !StatusDetails.isPresent(trailers)) ? this.method.explained(end, trailers) : trailers);
	}

}
