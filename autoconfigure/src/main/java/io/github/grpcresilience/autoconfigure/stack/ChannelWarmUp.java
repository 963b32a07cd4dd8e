package io.github.grpcresilience.autoconfigure.stack;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

import org.springframework.context.SmartLifecycle;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.policy.Mode;

/**
 * Connects the clients that shall be before their first call, and waits for that before
 * the servers of the application start, so before it is ready. Not for longer than one
 * address may be tried: who is started before the servers that it calls starts
 * nevertheless. Called by the application context only.
 */
public final class ChannelWarmUp implements SmartLifecycle {

	/** Before servers of the web and of gRPC. */
	private static final int PHASE = SmartLifecycle.DEFAULT_PHASE - 4096;

	private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

	private final GrpcResilience resilience;

	private final Supplier<List<GrpcResilienceStack>> stacks;

	private volatile boolean running;

	/**
	 * Takes what is connected.
	 * @param stacks stacks that make the channels; asked for at start
	 */
	public ChannelWarmUp(GrpcResilience resilience, Supplier<List<GrpcResilienceStack>> stacks) {
		this.resilience = resilience;
		this.stacks = stacks;
	}

	@Override
	public void start() {
		this.running = true;
		if (this.resilience.mode() == Mode.ENFORCE) {
			Set<String> clients = new TreeSet<>(this.resilience.inspection().attemptBudgets().keySet());
			List<GrpcResilienceStack> calling = this.stacks.get()
				.stream()
				.filter((stack) -> stack.side() == Side.CLIENT)
				.toList();
			calling.forEach((stack) -> clients.addAll(stack.clients()));
			clients.removeIf((client) -> !value(client, ConnectionSettings.WARM_UP, false));
			clients.forEach((client) -> calling.stream()
				.filter((stack) -> stack.clients().contains(client))
				.forEach((stack) -> stack.connect(client)));
			long begun = System.nanoTime();
			clients.forEach((client) -> await(client, begun));
		}
	}

	private void await(String client, long begunNanos) {
		long nanos = value(client, ConnectionSettings.CONNECT_TIMEOUT, Duration.ZERO).toNanos();
		while (!this.resilience.connections().isConnected(client) && System.nanoTime() - begunNanos < nanos
				&& !Thread.currentThread().isInterrupted()) {
			LockSupport.parkNanos(LOOK_NANOS);
		}
	}

	private <T> T value(String client, SettingKey<T> key, T none) {
		Setting<?> setting = this.resilience.connections().ofClient(client).get(key.name());
		return (setting != null) ? key.cast(setting) : none;
	}

	@Override
	public void stop() {
		this.running = false;
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	@Override
	public int getPhase() {
		return PHASE;
	}

}
