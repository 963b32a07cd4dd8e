package io.github.grpcresilience.internal.stream;

import java.util.ArrayDeque;
import java.util.Deque;

import org.jspecify.annotations.Nullable;

/**
 * Messages in the order in which they came.
 */
final class FifoBuffer<T> extends Buffer<T> {

	private final Deque<Slot<T>> slots = new ArrayDeque<>();

	FifoBuffer(int mostMessages, long mostBytes) {
		super(mostMessages, mostBytes);
	}

	@Override
	boolean offer(Slot<T> slot) {
		if (!hasRoom(size(), bytes() + slot.bytes())) {
			return false;
		}
		added(slot.bytes());
		return this.slots.add(slot);
	}

	@Override
	@Nullable Slot<T> poll() {
		Slot<T> first = this.slots.poll();
		if (first != null) {
			added(-first.bytes());
		}
		return first;
	}

	@Override
	int size() {
		return this.slots.size();
	}

	@Override
	void clear() {
		this.slots.clear();
		added(-bytes());
	}

}
