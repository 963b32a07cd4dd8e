package io.github.grpcresilience.attempt;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import io.grpc.Channel;
import io.grpc.MethodDescriptor;

import io.github.grpcresilience.time.Timer;

/**
 * The channels over which calls wait for their next attempt. Safe for concurrent use.
 */
final class ShutdownWatches {

	private final ConcurrentMap<Channel, ShutdownWatch> byChannel = new ConcurrentHashMap<>();

	private final Timer timer;

	ShutdownWatches(Timer timer) {
		this.timer = timer;
	}

	void add(Channel channel, MethodDescriptor<?, ?> method, AttemptedCall<?, ?> call) {
		ShutdownWatch watch = this.byChannel.compute(channel, (key, present) -> {
			ShutdownWatch kept = (present != null) ? present : new ShutdownWatch(key, method, this.timer);
			kept.add(call);
			return kept;
		});
		if (watch != null) {
			watch.begin();
		}
	}

	void remove(Channel channel, AttemptedCall<?, ?> call) {
		ShutdownWatch watch = this.byChannel.get(channel);
		if (watch != null) {
			this.byChannel.computeIfPresent(channel, (key, present) -> present.remove(call) ? null : present);
			watch.end();
		}
	}

}
