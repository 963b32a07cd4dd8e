package io.github.grpcresilience.internal.stream;

import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToLongFunction;

import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

/**
 * What was chosen for one writer. Immutable.
 *
 * @param <T> type of the messages
 * @param messages most messages that wait
 * @param bytes most bytes that wait
 * @param size size of a message in bytes
 * @param overflow what happens when the buffer is full
 * @param key key by which messages take the place of others; {@code null} if they do not
 * @param heartbeat what is sent when nothing else is; {@code null} for nothing
 * @param end told once when the stream has ended; {@code null} for nobody
 */
public record WriterOptions<T>(int messages, long bytes, ToLongFunction<? super T> size, Overflow overflow,
		@Nullable Function<? super T, ?> key, @Nullable Heartbeat<T> heartbeat, @Nullable Runnable end) {

	private static final int MESSAGES = 64;

	private static final long BYTES = 1024 * 1024;

	/**
	 * What holds unless something else is chosen.
	 * @param <T> type of the messages
	 * @return the options
	 */
	public static <T> WriterOptions<T> defaults() {
		return new WriterOptions<>(MESSAGES, BYTES, WriterOptions::serializedSize, Overflow.BLOCK, null, null, null);
	}

	private static long serializedSize(Object message) {
		// Protobuf keeps the size for when it writes the message.
		return (message instanceof MessageLite protobuf) ? protobuf.getSerializedSize() : 0;
	}

	/**
	 * With another bound.
	 * @param most most messages that wait
	 * @return the options
	 */
	public WriterOptions<T> withMessages(int most) {
		return new WriterOptions<>(most, this.bytes, this.size, this.overflow, this.key, this.heartbeat, this.end);
	}

	/**
	 * With another bound.
	 * @param most most bytes that wait
	 * @return the options
	 */
	public WriterOptions<T> withBytes(long most) {
		return new WriterOptions<>(this.messages, most, this.size, this.overflow, this.key, this.heartbeat, this.end);
	}

	/**
	 * With another measure.
	 * @param other size of a message in bytes
	 * @return the options
	 */
	public WriterOptions<T> withSize(ToLongFunction<? super T> other) {
		return new WriterOptions<>(this.messages, this.bytes, other, this.overflow, this.key, this.heartbeat, this.end);
	}

	/**
	 * With another end of patience, and without keys.
	 * @param other what happens when the buffer is full
	 * @return the options
	 */
	public WriterOptions<T> with(Overflow other) {
		return new WriterOptions<>(this.messages, this.bytes, this.size, other, null, this.heartbeat, this.end);
	}

	/**
	 * With messages that take the place of others.
	 * @param other key of a message
	 * @return the options
	 */
	public WriterOptions<T> withKey(Function<? super T, ?> other) {
		return new WriterOptions<>(this.messages, this.bytes, this.size, Overflow.FAIL, other, this.heartbeat,
				this.end);
	}

	/**
	 * With heartbeats.
	 * @param other what is sent when nothing else is
	 * @return the options
	 */
	public WriterOptions<T> with(Heartbeat<T> other) {
		return new WriterOptions<>(this.messages, this.bytes, this.size, this.overflow, this.key, other, this.end);
	}

	/**
	 * With somebody to tell.
	 * @param other told once when the stream has ended
	 * @return the options
	 */
	public WriterOptions<T> withEnd(Runnable other) {
		return new WriterOptions<>(this.messages, this.bytes, this.size, this.overflow, this.key, this.heartbeat,
				other);
	}

	Buffer<T> newBuffer() {
		return (this.key != null) ? new LatestBuffer<>(this.messages, this.bytes)
				: new FifoBuffer<>(this.messages, this.bytes);
	}

	/**
	 * Measures a message. Runs functions of the application: no lock may be held.
	 */
	Slot<T> measure(T message) {
		Objects.requireNonNull(message, "message");
		long bytes = this.size.applyAsLong(message);
		if (bytes < 0) {
			throw new IllegalArgumentException("size of a message must not be negative: " + bytes);
		}
		Function<? super T, ?> keyOf = this.key;
		// gRPC sends no message of more; and so sums cannot overflow.
		return new Slot<>(message, Math.min(bytes, Integer.MAX_VALUE),
				(keyOf != null) ? Objects.requireNonNull(keyOf.apply(message), "key of a message") : null);
	}

}
