package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;

import io.grpc.ClientInterceptor;
import io.grpc.Deadline;

import io.github.grpcresilience.internal.time.Timer;

/**
 * What the calls of one client share. Immutable.
 *
 * @param budget how many attempts the calls may add
 * @param timer wakes calls that wait
 * @param ticker source of time
 * @param random numbers from 0 to 1, from any thread
 * @param executor begins attempts, and tells callers of the end of calls that have no
 * attempt in flight and no executor of their own
 * @param latencies keeps what calls take, where hedges follow it
 * @param watches ends calls that wait while their channel is shut down
 * @param channels connect sooner while attempts wait for that
 * @param inner what each attempt goes through next
 */
record ClientAttempts(AttemptBudget budget, Timer timer, Deadline.Ticker ticker, DoubleSupplier random,
		Executor executor, Latencies.Factory latencies, ShutdownWatches watches, ClientChannels channels,
		ClientInterceptor inner) {
}
