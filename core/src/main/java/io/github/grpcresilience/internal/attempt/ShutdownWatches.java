package io.github.grpcresilience.internal.attempt;

import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;

import io.grpc.Channel;
import io.grpc.MethodDescriptor;

import io.github.grpcresilience.internal.time.Timer;

/**
 * The channels over which calls wait for their next attempt. Safe for concurrent use.
 */
final class ShutdownWatches {

	private final ConcurrentMap<Channel, ShutdownWatch> byChannel = new ConcurrentHashMap<>();

	/** Channels whose interceptors do not leave the watching call alone. */
	private final Set<Channel> unwatchable = Collections
		.newSetFromMap(Collections.synchronizedMap(new WeakHashMap<>()));

	private final Timer timer;

	private final Executor executor;

	ShutdownWatches(Timer timer, Executor executor) {
		this.timer = timer;
		this.executor = executor;
	}

	void add(Channel channel, MethodDescriptor<?, ?> method, Wait<?, ?> wait) {
		if (this.unwatchable.contains(channel)) {
			return;
		}
		ShutdownWatch watch = this.byChannel.compute(channel, (key, present) -> {
			ShutdownWatch kept = (present != null) ? present
					: new ShutdownWatch(key, method, this.timer, this.executor, () -> this.unwatchable.add(key));
			kept.add(wait);
			return kept;
		});
		if (watch != null) {
			watch.begin();
		}
	}

	void remove(Channel channel, Wait<?, ?> wait) {
		ShutdownWatch watch = this.byChannel.get(channel);
		if (watch != null) {
			this.byChannel.computeIfPresent(channel, (key, present) -> present.remove(wait) ? null : present);
			watch.end();
		}
	}

}
