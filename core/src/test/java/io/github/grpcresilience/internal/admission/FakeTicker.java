package io.github.grpcresilience.internal.admission;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

import io.grpc.Deadline;

/**
 * A clock that stands still until it is told to go on.
 */
public final class FakeTicker extends Deadline.Ticker {

	private final AtomicLong nanos;

	public FakeTicker(long nanos) {
		this.nanos = new AtomicLong(nanos);
	}

	@Override
	public long nanoTime() {
		return this.nanos.get();
	}

	public void pass(Duration time) {
		this.nanos.addAndGet(time.toNanos());
	}

}
