package io.github.grpcresilience;

import java.time.Duration;
import java.util.Optional;

import io.grpc.Context;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Inherited;

/**
 * What is left of the call that is being served, for application code. Callable from any
 * thread; elsewhere than in the handler the call must have been handed on, by a task that
 * belongs to it or by gRPC's {@link Context}.
 */
public final class Budget {

	private Budget() {
	}

	/**
	 * Time that is left until the deadline of the current call.
	 * @return the time, zero once the deadline has passed; empty if there is no call, if
	 * the call has no deadline, and once it was answered
	 */
	public static Optional<Duration> remaining() {
		long nanos = Inherited.of(CallScope.current(), Context.current()).nanos();
		return (nanos != CallRecord.UNLIMITED) ? Optional.of(Duration.ofNanos(Math.max(0, nanos))) : Optional.empty();
	}

}
