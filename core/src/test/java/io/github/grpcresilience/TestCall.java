package io.github.grpcresilience;

import java.lang.reflect.Method;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import io.grpc.Status;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.policy.CancellationSettings;
import io.github.grpcresilience.policy.CommitAfterEnd;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A call that is served, without a server: it ends when the test says so. What has begun
 * by then is old, unless the test says otherwise.
 */
public final class TestCall implements AutoCloseable {

	public static final Context.Key<String> VALUE = Context.key("test-value");

	private static final long OLD_NANOS = TimeUnit.MILLISECONDS.toNanos(70);

	private final AtomicLong aheadNanos = new AtomicLong();

	/** Absent while its clock goes. */
	private volatile Long stoppedNanos;

	private final ServedCall served;

	private final CancellableContext context;

	private TestCall(ServedMethod method) {
		Deadline.Ticker system = Deadline.getSystemTicker();
		this.served = new ServedCall(new Deadline.Ticker() {

			@Override
			public long nanoTime() {
				Long stopped = TestCall.this.stoppedNanos;
				return ((stopped != null) ? stopped : system.nanoTime()) + TestCall.this.aheadNanos.get();
			}

		}, method, false, Runnable::run);
		this.context = this.served.filterContext(Context.ROOT.withValue(VALUE, "of the call")).withCancellation();
	}

	public static TestCall begin() {
		return new TestCall(null);
	}

	public static TestCall beginInterruptible() {
		return of(Policies.server()
			.policy("test", "test.v1.Shop")
			.with(CancellationSettings.INTERRUPT_ON_CANCEL, true)
			.end());
	}

	public static TestCall refusingLateCommits() {
		return of(Policies.server()
			.policy("test", "test.v1.Shop")
			.with(CancellationSettings.COMMIT_AFTER_END, CommitAfterEnd.REFUSE)
			.end());
	}

	private static TestCall of(Policies policies) {
		return new TestCall(policies.served().of(Shop.UNARY));
	}

	/**
	 * Stops its clock: what it does from now on takes no time, on any machine.
	 */
	public void stopClock() {
		this.stoppedNanos = System.nanoTime();
	}

	public TestCall within(long budget, TimeUnit unit) {
		record().within(unit.toNanos(budget));
		return this;
	}

	public CancellableContext context() {
		return this.context;
	}

	public CallScope scope() {
		return this.served.scope();
	}

	public CallRecord record() {
		return this.served.record();
	}

	public void run(Runnable handler) {
		this.context.run(() -> scope().run(handler));
	}

	public <T> T call(Callable<T> handler) throws Exception {
		return this.context.call(() -> scope().call(handler));
	}

	/** As when the handler has answered. */
	public void answer() {
		record().answer();
		this.context.cancel(null);
	}

	/** As when the caller has left, while nothing that runs is cleaning up. */
	public void abandon() {
		abandon(OLD_NANOS);
	}

	/** As when the caller has left, though what runs may have begun just now. */
	public void abandonYoung() {
		abandon(-TimeUnit.SECONDS.toNanos(30));
	}

	private void abandon(long aheadNanos) {
		this.aheadNanos.addAndGet(aheadNanos);
		if (record().end(false)) {
			record().tell();
		}
		this.context.cancel(Status.CANCELLED.withDescription("the caller left").asRuntimeException());
	}

	/** As when the deadline has passed, while nothing that runs is cleaning up. */
	public void timeOut() {
		this.aheadNanos.addAndGet(OLD_NANOS);
		if (record().end(true)) {
			record().tell();
		}
		this.context.cancel(new TimeoutException("time is up"));
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
			while (scope().grace(work).begin() > 0) {
				assertThat(record().hasEnded()).isTrue();
			}
		}
	}

	/** How much work waits to be told. */
	public int listeners() {
		return record().registered();
	}

	/** Listeners of gRPC's own Context. */
	public static int listeners(Context context) {
		try {
			Method count = Context.CancellableContext.class.getDeclaredMethod("listenerCount");
			count.setAccessible(true);
			return (int) count.invoke(context);
		}
		catch (ReflectiveOperationException ex) {
			throw new LinkageError(ex.getMessage(), ex);
		}
	}

	@Override
	public void close() {
		answer();
	}

}
