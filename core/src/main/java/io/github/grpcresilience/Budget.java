package io.github.grpcresilience;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Deadline;

/**
 * What is left of the call that is being served, for application code. Reads the current
 * {@link Context}; callable from any thread that the Context has reached.
 */
public final class Budget {

	private Budget() {
	}

	/**
	 * Time that is left until the deadline of the current call.
	 * @return the time, zero once the deadline has passed; empty if there is no call or
	 * the call has no deadline
	 */
	public static Optional<Duration> remaining() {
		Deadline deadline = Context.current().getDeadline();
		return (deadline != null)
				? Optional.of(Duration.ofNanos(Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS))))
				: Optional.empty();
	}

}
