package io.github.grpcresilience.internal.stream;

import org.jspecify.annotations.Nullable;

/**
 * Messages that wait, with bounds. A message larger than the bound in bytes fits where no
 * other is. Confined to the lock of its writer.
 */
abstract class Buffer<T> {

	private final int mostMessages;

	private final long mostBytes;

	private long bytes;

	private long dropped;

	Buffer(int mostMessages, long mostBytes) {
		this.mostMessages = mostMessages;
		this.mostBytes = mostBytes;
	}

	/**
	 * Takes a message if there is room.
	 * @return whether it was taken
	 */
	abstract boolean offer(Slot<T> slot);

	/**
	 * Removes the first message.
	 * @return the message; {@code null} if there is none
	 */
	abstract @Nullable Slot<T> poll();

	abstract int size();

	abstract void clear();

	boolean hasRoom(int messages, long bytes) {
		return messages == 0 || (messages < this.mostMessages && bytes <= this.mostBytes);
	}

	void added(long bytes) {
		this.bytes += bytes;
	}

	/**
	 * A message gave way to a newer one.
	 */
	void dropped() {
		this.dropped++;
	}

	/**
	 * Lets the oldest ones give way until the message has room.
	 */
	void force(Slot<T> slot) {
		while (!offer(slot)) {
			poll();
			dropped();
		}
	}

	/**
	 * Whether so much is free that it is worth while to wake those who wait.
	 */
	boolean isHalfEmpty() {
		return size() <= this.mostMessages / 2 && this.bytes <= this.mostBytes / 2;
	}

	boolean isEmpty() {
		return size() == 0;
	}

	long bytes() {
		return this.bytes;
	}

	long droppedCount() {
		return this.dropped;
	}

}
