package io.github.grpcresilience.autoconfigure;

import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import io.grpc.Deadline;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A call that is served, without a server: it ends when the test says so. What has begun
 * by then is old, so that nothing is taken for cleaning up.
 */
public final class TestCall implements AutoCloseable {

	private static final long OLD_NANOS = TimeUnit.MILLISECONDS.toNanos(70);

	private final AtomicLong aheadNanos = new AtomicLong();

	private final CallRecord record = new CallRecord(new Deadline.Ticker() {

		@Override
		public long nanoTime() {
			return System.nanoTime() + TestCall.this.aheadNanos.get();
		}

	}, false);

	private final CallScope scope = CallScope.ofHandler(this.record);

	public static TestCall begin() {
		return new TestCall();
	}

	public TestCall within(long budget, TimeUnit unit) {
		this.record.within(unit.toNanos(budget));
		return this;
	}

	/** As when the deadline passes meanwhile. */
	public TestCall timingOutAfter(long delay, TimeUnit unit, ScheduledExecutorService timer) {
		within(delay, unit);
		ScheduledFuture<?> unused = timer.schedule(this::timeOut, delay, unit);
		return this;
	}

	/** From now on what begins is refused, as of those who went on after the signal. */
	public void useUpGrace(Work work) {
		for (int stage = 0; stage < 2; stage++) {
			while (this.scope.grace(work).begin() > 0) {
				assertThat(this.record.hasEnded()).isTrue();
			}
		}
	}

	public CallRecord record() {
		return this.record;
	}

	public CallScope scope() {
		return this.scope;
	}

	public void run(Runnable handler) {
		this.scope.run(handler);
	}

	public <T> T call(Callable<T> handler) throws Exception {
		return this.scope.call(handler);
	}

	public void answer() {
		this.record.answer();
	}

	/** As when the caller has left. */
	public void abandon() {
		end(false);
	}

	public void timeOut() {
		end(true);
	}

	private void end(boolean timedOut) {
		this.aheadNanos.addAndGet(OLD_NANOS);
		if (this.record.end(timedOut)) {
			this.record.tell();
		}
	}

	@Override
	public void close() {
		answer();
	}

}
