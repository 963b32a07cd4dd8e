package io.github.grpcresilience.internal.status;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.RetryInfo;

/**
 * How long callers that were refused shall wait. Those that are refused together shall
 * not come back together, so each is told another time. Safe for concurrent use.
 */
public final class RetryDelay {

	/** Shorter waits only bring back all callers at once. */
	public static final long LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

	private static final long NANOS_PER_SECOND = 1_000_000_000;

	private final DoubleSupplier random;

	/**
	 * Spreads by chance.
	 */
	public RetryDelay() {
		this(() -> ThreadLocalRandom.current().nextDouble());
	}

	/**
	 * Spreads as told.
	 * @param random numbers from 0 to below 1
	 */
	public RetryDelay(DoubleSupplier random) {
		this.random = random;
	}

	/**
	 * A wait of one to two times what makes sense at the earliest.
	 * @param earliestNanos when trying again makes sense at the earliest, 0 or more
	 * @return nanoseconds
	 */
	public long ofNanos(long earliestNanos) {
		long least = Math.max(LEAST_NANOS, earliestNanos);
		return least + (long) (least * this.random.getAsDouble());
	}

	/**
	 * The same wait as callers are told it.
	 * @param earliestNanos when trying again makes sense at the earliest, 0 or more
	 * @return a {@code RetryInfo}
	 */
	public Any detail(long earliestNanos) {
		long waitNanos = ofNanos(earliestNanos);
		return Any.pack(RetryInfo.newBuilder()
			.setRetryDelay(Duration.newBuilder()
				.setSeconds(waitNanos / NANOS_PER_SECOND)
				.setNanos((int) (waitNanos % NANOS_PER_SECOND)))
			.build());
	}

}
