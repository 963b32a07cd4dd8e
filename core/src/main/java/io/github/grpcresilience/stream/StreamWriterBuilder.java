package io.github.grpcresilience.stream;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

import io.github.grpcresilience.internal.stream.Heartbeat;
import io.github.grpcresilience.internal.stream.Overflow;
import io.github.grpcresilience.internal.stream.Streams;
import io.github.grpcresilience.internal.stream.WriterOptions;

/**
 * Chooses the bounds of a {@link StreamWriter}, and what happens when they are reached:
 * 64 messages and 1 MiB, and whoever writes is blocked. Of several choices for a full
 * buffer the last one holds. Confined to one thread.
 *
 * @param <T> type of the messages
 */
public final class StreamWriterBuilder<T> {

	private final Streams streams;

	private final ServerCallStreamObserver<T> observer;

	private WriterOptions<T> options = WriterOptions.defaults();

	/**
	 * Begins with the defaults; for the facade.
	 * @param streams what the writers of one application share
	 * @param observer what the handler was given
	 * @throws IllegalArgumentException if the observer is not that of a server's call
	 */
	public StreamWriterBuilder(Streams streams, StreamObserver<T> observer) {
		if (!(observer instanceof ServerCallStreamObserver<T> call)) {
			throw new IllegalArgumentException("observer must be what gRPC gave to the handler, which is a "
					+ "ServerCallStreamObserver; it is a " + observer.getClass().getName());
		}
		this.streams = streams;
		this.observer = call;
	}

	/**
	 * Bounds the number of messages that wait.
	 * @param most most messages, from 1 on
	 * @return this builder
	 */
	public StreamWriterBuilder<T> messages(int most) {
		if (most < 1) {
			throw new IllegalArgumentException("messages must be 1 or more, not " + most);
		}
		this.options = this.options.withMessages(most);
		return this;
	}

	/**
	 * Bounds the size of the messages that wait, as Protobuf writes them. Messages that
	 * are not Protobuf's count as 0 bytes. A message that is larger than the bound waits
	 * alone.
	 * @param most most bytes, from 1 on
	 * @return this builder
	 */
	public StreamWriterBuilder<T> bytes(long most) {
		if (most < 1) {
			throw new IllegalArgumentException("bytes must be 1 or more, not " + most);
		}
		this.options = this.options.withBytes(most);
		return this;
	}

	/**
	 * Bounds the size of the messages that wait. A message that is larger than the bound
	 * waits alone.
	 * @param most most bytes, from 1 on
	 * @param size size of a message in bytes, not negative; called by the thread that
	 * writes
	 * @return this builder
	 */
	public StreamWriterBuilder<T> bytes(long most, ToLongFunction<? super T> size) {
		bytes(most);
		this.options = this.options.withSize(Objects.requireNonNull(size, "size"));
		return this;
	}

	/**
	 * Lets {@link StreamWriter#write} wait for room: nothing is lost.
	 * @return this builder
	 */
	public StreamWriterBuilder<T> blockWhenFull() {
		this.options = this.options.with(Overflow.BLOCK);
		return this;
	}

	/**
	 * Lets the oldest message that waits give way to a new one.
	 * @return this builder
	 */
	public StreamWriterBuilder<T> dropOldestWhenFull() {
		this.options = this.options.with(Overflow.DROP_OLDEST);
		return this;
	}

	/**
	 * Ends the stream with {@code RESOURCE_EXHAUSTED} and the reason
	 * {@code SLOW_CONSUMER}. What waits is dropped.
	 * @return this builder
	 */
	public StreamWriterBuilder<T> failWhenFull() {
		this.options = this.options.with(Overflow.FAIL);
		return this;
	}

	/**
	 * Lets a message take the place of one that waits with the same key, whether the
	 * buffer is full or not: a slow reader gets the last of each key. The place is that
	 * of the older one. When the buffer is full of other keys the stream ends as with
	 * {@link #failWhenFull()}.
	 * @param key key of a message, with {@code equals} and {@code hashCode}; called by
	 * the thread that writes
	 * @return this builder
	 */
	public StreamWriterBuilder<T> conflateBy(Function<? super T, ?> key) {
		this.options = this.options.withKey(Objects.requireNonNull(key, "key"));
		return this;
	}

	/**
	 * Sends a message whenever none was sent for a time and the reader is ready. Without
	 * it there are no heartbeats.
	 * @param idle time without a message, positive; each one is up to a tenth shorter or
	 * longer, so that many streams do not beat together
	 * @param message builds a heartbeat; called by the thread that sends, must not block
	 * @return this builder
	 */
	public StreamWriterBuilder<T> heartbeat(Duration idle, Supplier<? extends T> message) {
		if (idle.isNegative() || idle.isZero()) {
			throw new IllegalArgumentException("idle must be positive, not " + idle);
		}
		this.options = this.options.with(new Heartbeat<>(idle, Objects.requireNonNull(message, "message")));
		return this;
	}

	/**
	 * Tells when the stream has ended: it was completed, it failed, or the caller left.
	 * @param action what to do, such as to unsubscribe; called once, on a thread of its
	 * own, and may block it
	 * @return this builder
	 */
	public StreamWriterBuilder<T> onEnd(Runnable action) {
		this.options = this.options.withEnd(Objects.requireNonNull(action, "action"));
		return this;
	}

	/**
	 * Opens the writer. Called by the handler before it returns: gRPC takes the handlers
	 * for readiness and cancellation of no stream later.
	 * @return the writer, which has the observer for itself from now on
	 * @throws IllegalStateException if the handler has returned already
	 */
	public StreamWriter<T> open() {
		return this.streams.open(this.observer, this.options);
	}

}
