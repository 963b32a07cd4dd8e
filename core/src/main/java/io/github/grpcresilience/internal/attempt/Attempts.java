package io.github.grpcresilience.internal.attempt;

import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;

import io.grpc.ClientInterceptor;
import io.grpc.Deadline;

import io.github.grpcresilience.internal.method.CalledMethods;
import io.github.grpcresilience.internal.time.Timer;

/**
 * Further attempts of the calls that are made.
 */
public final class Attempts {

	private Attempts() {
	}

	/**
	 * Creates the interceptor of one client; it goes inside of what gives calls their
	 * deadline.
	 * @param methods methods of the client
	 * @param budget how many attempts the client may add to its calls
	 * @param timer wakes calls that wait
	 * @param ticker source of time
	 * @param random numbers from 0 to 1, asked for on any thread
	 * @param executor begins attempts; interceptors of the application may block its
	 * threads
	 * @param latencies keeps what calls take, where hedges follow it
	 * @param channels channels of the client, as far as they are known
	 * @param inner what each attempt goes through next
	 * @return the interceptor
	 */
	public static ClientInterceptor interceptor(CalledMethods methods, AttemptBudget budget, Timer timer,
			Deadline.Ticker ticker, DoubleSupplier random, Executor executor, Latencies.Factory latencies,
			ClientChannels channels, ClientInterceptor inner) {
		return new AttemptClientInterceptor(methods, new ClientAttempts(budget, timer, ticker, random, executor,
				latencies, new ShutdownWatches(timer, executor), channels, inner));
	}

	/**
	 * Creates the interceptor of one client that counts the attempts which would be made.
	 * @param methods methods of the client
	 * @param inner what each call goes through next
	 * @return the interceptor
	 */
	public static ClientInterceptor observing(CalledMethods methods, ClientInterceptor inner) {
		return new ObservedAttemptInterceptor(methods, inner);
	}

}
