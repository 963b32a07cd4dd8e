package io.github.grpcresilience.internal.stream;

import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.time.Timeout;
import io.github.grpcresilience.stream.StreamWriter;

/**
 * A buffer, and whoever sends from it. One thread at a time sends: a writer, gRPC's
 * callback for readiness, or a heartbeat. The lock is for the state alone; gRPC and the
 * application are called by the thread that sends, without it. (decision 42)
 *
 * <p>
 * States: open → ending, when the application has ended the stream or it fails, until the
 * buffer is empty → over. From every state to over when the caller leaves.
 */
final class BoundedWriter<T> implements StreamWriter<T> {

	/**
	 * A handler that waits in its callback is told neither of readiness nor of the end,
	 * since gRPC waits for the callback to return. So those who wait look themselves,
	 * ever more seldom.
	 */
	private static final long FIRST_LOOK_NANOS = 200_000;

	private static final long SELDOMEST_LOOK_NANOS = 50_000_000;

	/** After so many a thread that waits for room takes over. */
	private static final int MOST_IN_A_ROW = 64;

	/** A handler that goes on after the end hears of it after so many (decision 11). */
	private static final int MOST_LATE = 16;

	private final ServerCallStreamObserver<T> observer;

	private final WriterOptions<T> options;

	private final Streams streams;

	/** Where the handler runs. */
	private final Context context = Context.current();

	/** Null where nothing of ours is around the handler. */
	private final @Nullable CallScope scope = CallScope.entered();

	/** Null where nothing of ours is around the handler. */
	private final @Nullable CallRecord call = findCall();

	private final Context.CancellationListener listener = (cancelled) -> left();

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition room = this.lock.newCondition();

	@GuardedBy("lock")
	private final Buffer<T> buffer;

	@GuardedBy("lock")
	private State state = State.OPEN;

	/** Builds what the stream ends with; null if that is OK. */
	@GuardedBy("lock")
	private @Nullable Supplier<Throwable> failure;

	/** The thread that sends; null if nobody does. */
	@GuardedBy("lock")
	private @Nullable Thread sender;

	/** Somebody came while another one was sending, who must look again. */
	@GuardedBy("lock")
	private boolean again;

	/** Whether the reader was ready when a sender looked last. */
	@GuardedBy("lock")
	private boolean ready = true;

	/** Threads that wait for room; each of them sends afterwards. */
	@GuardedBy("lock")
	private int waiting;

	@GuardedBy("lock")
	private boolean beatIsDue;

	@GuardedBy("lock")
	private long sentNanos;

	@GuardedBy("lock")
	private long patienceNanos;

	/** Next look whether a heartbeat is due; null for none. */
	@GuardedBy("lock")
	private @Nullable Timeout beat;

	@GuardedBy("lock")
	private int late;

	/** Owned by the thread that sends: what it sends next. */
	private @Nullable Slot<T> taken;

	BoundedWriter(ServerCallStreamObserver<T> observer, WriterOptions<T> options, Streams streams) {
		this.observer = observer;
		this.options = options;
		this.streams = streams;
		this.buffer = options.newBuffer();
	}

	private static @Nullable CallRecord findCall() {
		CallScope current = CallScope.current();
		return (current != null) ? current.call() : null;
	}

	/**
	 * Listens for readiness and for the end. Called once, by the handler.
	 */
	void open() {
		this.observer.setOnReadyHandler(this::send);
		this.observer.setOnCancelHandler(this::left);
		Heartbeat<T> heartbeat = this.options.heartbeat();
		if (heartbeat != null) {
			this.lock.lock();
			try {
				this.sentNanos = this.streams.ticker().nanoTime();
				this.patienceNanos = heartbeat.nextNanos();
				waitForBeat(this.patienceNanos);
			}
			finally {
				this.lock.unlock();
			}
		}
		// Comes even while the handler's callback runs, in which it cannot be told.
		this.context.addListener(this.listener, Runnable::run);
	}

	@Override
	public boolean write(T message) {
		Slot<T> slot = this.options.measure(message);
		long look = 0;
		while (true) {
			Taking taking;
			try {
				taking = take(slot, look);
			}
			finally {
				// Whoever has waited sends, however that ended: the last sender may count
				// on it.
				send();
			}
			if (taking != Taking.LATER) {
				return taking == Taking.TAKEN;
			}
			look = Math.min(Math.max(2 * look, FIRST_LOOK_NANOS), SELDOMEST_LOOK_NANOS);
		}
	}

	/**
	 * Takes a message, or waits for a while, after which the reader shall be looked at.
	 * @param waitNanos how long; 0 to look before anything gives way
	 */
	private Taking take(Slot<T> slot, long waitNanos) {
		this.lock.lock();
		try {
			if (this.state != State.OPEN) {
				stopProducer();
				return Taking.NEVER;
			}
			if (this.buffer.offer(slot)) {
				return Taking.TAKEN;
			}
			// With a ready reader it is the sender who is behind, which is nobody's
			// fault.
			boolean busy = this.ready && this.sender != Thread.currentThread();
			if (waitNanos == 0 || (busy && this.sender == null)) {
				return Taking.LATER;
			}
			if (busy || this.options.overflow() == Overflow.BLOCK) {
				return await(waitNanos, busy);
			}
			if (this.options.overflow() == Overflow.DROP_OLDEST) {
				this.buffer.force(slot);
				return Taking.TAKEN;
			}
			this.buffer.clear();
			end(() -> SlowConsumer.failure(this.streams.service(), this.call));
			return Taking.NEVER;
		}
		finally {
			this.lock.unlock();
		}
	}

	@GuardedBy("lock")
	@SuppressWarnings("WaitNotInLoop") // write() is the loop: the reader is looked at in
										// between
	private Taking await(long waitNanos, boolean busy) {
		long nanos = waitNanos;
		Deadline deadline = this.context.getDeadline();
		if (deadline != null) {
			nanos = Math.min(nanos, deadline.timeRemaining(TimeUnit.NANOSECONDS));
			if (nanos <= 0) {
				return Taking.NEVER;
			}
		}
		if (this.sender == Thread.currentThread()) {
			throw new IllegalStateException("a message that is written while another one is sent finds no room, "
					+ "and this thread would wait for itself");
		}
		if (!busy && EventLoops.isOne(Thread.currentThread())) {
			throw new IllegalStateException("a full StreamWriter would block " + Thread.currentThread().getName()
					+ ", without which its connection stands still - write on another thread, "
					+ "or choose what shall happen instead");
		}
		this.waiting++;
		try {
			this.room.awaitNanos(nanos);
			return Taking.LATER;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw Status.CANCELLED.withDescription("interrupted while waiting for the reader of a stream")
				.withCause(ex)
				.asRuntimeException();
		}
		finally {
			this.waiting--;
		}
	}

	/**
	 * Throws at a handler that goes on writing in its callback, since it does not look at
	 * the result and cannot be told otherwise. Publishers on other threads are let be.
	 */
	@GuardedBy("lock")
	private void stopProducer() {
		if (this.scope != null && CallScope.entered() == this.scope && ++this.late > MOST_LATE) {
			throw Status.CANCELLED.withDescription("the stream has ended: nobody receives this message")
				.asRuntimeException();
		}
	}

	@Override
	public void complete() {
		endBy(null);
	}

	@Override
	public void fail(Throwable thrown) {
		Objects.requireNonNull(thrown, "thrown");
		endBy(() -> thrown);
	}

	private void endBy(@Nullable Supplier<Throwable> with) {
		this.lock.lock();
		try {
			if (this.state == State.OPEN) {
				end(with);
			}
		}
		finally {
			this.lock.unlock();
		}
		send();
	}

	@GuardedBy("lock")
	private void end(@Nullable Supplier<Throwable> with) {
		this.state = State.ENDING;
		this.failure = with;
		this.room.signalAll();
	}

	/**
	 * Nobody reads any more. Called by gRPC, on whatever thread.
	 */
	private void left() {
		if (over()) {
			tellEnd();
		}
	}

	private boolean over() {
		this.lock.lock();
		try {
			if (this.state == State.OVER) {
				return false;
			}
			this.state = State.OVER;
			this.buffer.clear();
			if (this.beat != null) {
				this.beat.cancel();
			}
			this.room.signalAll();
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void tellEnd() {
		this.context.removeListener(this.listener);
		Runnable end = this.options.end();
		if (end != null) {
			this.streams.executor().execute(end);
		}
	}

	/**
	 * Sends what the reader is ready for, if nobody else does. Called without the lock.
	 */
	private void send() {
		if (!becomeSender()) {
			return;
		}
		try {
			int sent = 0;
			while (step(next(this.observer.isReady(), sent))) {
				sent++;
			}
		}
		catch (Throwable ex) {
			broken(ex);
			if (ex instanceof Error error) {
				throw error;
			}
		}
	}

	private boolean becomeSender() {
		this.lock.lock();
		try {
			if (this.state == State.OVER) {
				return false;
			}
			if (this.sender != null) {
				this.again = true;
				return false;
			}
			this.sender = Thread.currentThread();
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	private Step next(boolean isReady, int sent) {
		this.lock.lock();
		try {
			this.ready = isReady;
			if (this.state == State.OVER) {
				return stop();
			}
			if (this.state == State.ENDING && this.buffer.isEmpty()) {
				return Step.END;
			}
			if (isReady && sent >= MOST_IN_A_ROW && this.waiting > 0) {
				this.room.signalAll();
				return stop();
			}
			if (isReady && !this.buffer.isEmpty()) {
				takeOut();
				return Step.MESSAGE;
			}
			if (isReady && this.beatIsDue) {
				sentNow();
				return Step.BEAT;
			}
			if (this.again) {
				this.again = false;
				return Step.LOOK;
			}
			if (this.options.overflow() != Overflow.BLOCK) {
				// Those who waited for the sender alone see now what the reader is like.
				this.room.signalAll();
			}
			return stop();
		}
		finally {
			this.lock.unlock();
		}
	}

	@GuardedBy("lock")
	private Step stop() {
		this.sender = null;
		this.again = false;
		this.beatIsDue = false;
		return Step.STOP;
	}

	@GuardedBy("lock")
	private void takeOut() {
		boolean wasHalfEmpty = this.buffer.isHalfEmpty();
		this.taken = this.buffer.poll();
		if (this.waiting > 0 && (this.buffer.isEmpty() || (!wasHalfEmpty && this.buffer.isHalfEmpty()))) {
			this.room.signalAll();
		}
		sentNow();
	}

	@GuardedBy("lock")
	private void sentNow() {
		this.beatIsDue = false;
		if (this.options.heartbeat() != null) {
			this.sentNanos = this.streams.ticker().nanoTime();
		}
	}

	/**
	 * Does what was decided; here gRPC and the application are called.
	 * @return whether there may be more to do
	 */
	private boolean step(Step step) {
		switch (step) {
			case MESSAGE -> {
				Slot<T> slot = this.taken;
				this.taken = null;
				if (slot != null) {
					this.observer.onNext(slot.message());
				}
			}
			case BEAT -> {
				Heartbeat<T> heartbeat = this.options.heartbeat();
				if (heartbeat != null) {
					this.observer.onNext(heartbeat.message().get());
				}
			}
			case END -> close();
			case LOOK -> {
				// The next look shows what has changed.
			}
			case STOP -> {
				return false;
			}
		}
		return true;
	}

	private void close() {
		Supplier<Throwable> with = failure();
		if (!over()) {
			return;
		}
		try {
			if (with != null) {
				this.observer.onError(with.get());
			}
			else {
				this.observer.onCompleted();
			}
		}
		finally {
			tellEnd();
		}
	}

	private @Nullable Supplier<Throwable> failure() {
		this.lock.lock();
		try {
			return this.failure;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * A message could not be sent, or a heartbeat not be built: the stream would have a
	 * gap.
	 */
	private void broken(Throwable thrown) {
		if (over()) {
			try {
				this.observer.onError(thrown);
			}
			catch (RuntimeException ex) {
				// The call is closed already, by whatever broke it.
			}
			finally {
				tellEnd();
			}
		}
		// Else it has ended meanwhile, and what gRPC says of that is known.
	}

	@GuardedBy("lock")
	private void waitForBeat(long nanos) {
		this.beat = this.streams.timer()
			.schedule(nanos, () -> this.streams.executor().execute(this.context.wrap(this::beat)));
	}

	private void beat() {
		Heartbeat<T> heartbeat = this.options.heartbeat();
		this.lock.lock();
		try {
			if (heartbeat == null || this.state != State.OPEN) {
				return;
			}
			long left = this.patienceNanos - (this.streams.ticker().nanoTime() - this.sentNanos);
			if (left > 0) {
				waitForBeat(left);
				return;
			}
			this.beatIsDue = this.buffer.isEmpty();
			this.patienceNanos = heartbeat.nextNanos();
			waitForBeat(this.patienceNanos);
		}
		finally {
			this.lock.unlock();
		}
		send();
	}

	@Override
	public boolean isOpen() {
		this.lock.lock();
		try {
			return this.state == State.OPEN;
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public int buffered() {
		this.lock.lock();
		try {
			return this.buffer.size();
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public long bufferedBytes() {
		this.lock.lock();
		try {
			return this.buffer.bytes();
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public long dropped() {
		this.lock.lock();
		try {
			return this.buffer.droppedCount();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Threads that wait for room.
	 */
	int waiting() {
		this.lock.lock();
		try {
			return this.waiting;
		}
		finally {
			this.lock.unlock();
		}
	}

	private enum State {

		OPEN, ENDING, OVER

	}

	/**
	 * What became of a message.
	 */
	private enum Taking {

		TAKEN, LATER, NEVER

	}

	/**
	 * What the sender does next.
	 */
	private enum Step {

		MESSAGE, BEAT, END, LOOK, STOP

	}

}
