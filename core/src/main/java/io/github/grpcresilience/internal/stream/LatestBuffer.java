package io.github.grpcresilience.internal.stream;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

/**
 * The last message of each key, in the order in which the keys came: a key that changes
 * all the time must not wait for ever behind the others.
 */
final class LatestBuffer<T> extends Buffer<T> {

	private final Map<Object, Slot<T>> slots = new LinkedHashMap<>();

	LatestBuffer(int mostMessages, long mostBytes) {
		super(mostMessages, mostBytes);
	}

	@Override
	boolean offer(Slot<T> slot) {
		Object key = Objects.requireNonNull(slot.key(), "key");
		Slot<T> older = this.slots.get(key);
		long olderBytes = (older != null) ? older.bytes() : 0;
		if (!hasRoom((older != null) ? size() - 1 : size(), bytes() - olderBytes + slot.bytes())) {
			return false;
		}
		if (older != null) {
			dropped();
		}
		added(slot.bytes() - olderBytes);
		this.slots.put(key, slot);
		return true;
	}

	@Override
	@Nullable Slot<T> poll() {
		Iterator<Slot<T>> all = this.slots.values().iterator();
		if (!all.hasNext()) {
			return null;
		}
		Slot<T> first = all.next();
		all.remove();
		added(-first.bytes());
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
