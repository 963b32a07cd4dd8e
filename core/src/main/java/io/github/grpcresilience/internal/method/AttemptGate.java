package io.github.grpcresilience.internal.method;

import java.time.Duration;

import io.grpc.CallOptions;
import io.grpc.Status;

import io.github.grpcresilience.status.Reason;

/**
 * Decides whether an attempt may be sent, and learns how it ended: a circuit breaker, a
 * limit, or several in one. Safe for concurrent use; never blocks.
 *
 * <p>
 * Each attempt asks once, when it is started, and what it is given is handed back in
 * full. Whoever makes several attempts of one call lets each pass through the interceptor
 * that asks.
 */
public interface AttemptGate {

	/**
	 * Whether an attempt's deadline is what the served call has left, rather than its own
	 * or the attempt's timeout: that such a deadline is exceeded says nothing about what
	 * is called. Set only where the method has a gate. Whoever shortens the deadline of
	 * an attempt sets it to {@code false}; whoever ends an attempt by a timer of its own
	 * cancels it with a {@link java.util.concurrent.TimeoutException} as the cause.
	 */
	CallOptions.Key<Boolean> DEADLINE_INHERITED = CallOptions.Key
		.createWithDefault("grpc-resilience-deadline-inherited", false);

	/**
	 * Whether nothing should be sent that need not be sent, such as a hedge: an attempt
	 * would be refused, or be one of the few by which a breaker tries whether it may
	 * close. Takes nothing.
	 * @return what holds at this moment; it may be over with the next
	 */
	boolean refusesNow();

	/**
	 * Asks whether an attempt may be sent.
	 * @return a {@link Permit}, or a {@link Refusal} to which nothing is owed
	 */
	Answer ask();

	/**
	 * What an attempt is told.
	 */
	sealed interface Answer permits Permit, Refusal {

	}

	/**
	 * Leave to send one attempt. Its holder tells the outcome once, with one of
	 * {@link #succeeded()}, {@link #failed(Status)} and {@link #unknown()}, and
	 * thereafter or at the same time that the attempt has ended; it need not be safe
	 * against being told twice.
	 */
	non-sealed interface Permit extends Answer {

		/**
		 * What is called has answered, if only that it refuses the request.
		 */
		void succeeded();

		/**
		 * What is called has failed.
		 * @param status how
		 */
		void failed(Status status);

		/**
		 * Nobody knows: the attempt was not sent, was cancelled, or had too little time.
		 */
		void unknown();

		/**
		 * The attempt uses nothing any more.
		 */
		void ended();

	}

	/**
	 * An attempt must not be sent. Immutable.
	 *
	 * @param reason why
	 * @param retryAfter how long callers shall wait before they try again; positive
	 */
	record Refusal(Reason reason, Duration retryAfter) implements Answer {

		/**
		 * Checks the range.
		 * @throws IllegalArgumentException if there is nothing to wait for
		 */
		public Refusal {
			if (retryAfter.isNegative() || retryAfter.isZero()) {
				throw new IllegalArgumentException("retryAfter must be positive: " + retryAfter);
			}
		}

	}

}
