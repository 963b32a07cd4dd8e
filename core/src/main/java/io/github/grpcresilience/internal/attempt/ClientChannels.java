package io.github.grpcresilience.internal.attempt;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.ConnectivityState;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.time.Timeout;
import io.github.grpcresilience.internal.time.Timer;

/**
 * The channels of one client, as far as they are known. While attempts wait for a
 * connection, channels that have none try to connect every now and then, whatever their
 * backoff says, which after a long outage is minutes. They are held weakly, and forgotten
 * once they are shut down. Safe for concurrent use; runs code of channels on the executor
 * only, and under no lock.
 */
public final class ClientChannels {

	/** Changed by up to a half at random, so that clients do not connect in step. */
	static final long RESET_NANOS = 500_000_000;

	private final Timer timer;

	private final Deadline.Ticker ticker;

	private final DoubleSupplier random;

	private final Executor executor;

	@GuardedBy("this")
	private final List<WeakReference<ManagedChannel>> known = new ArrayList<>();

	@GuardedBy("this")
	private int waiting;

	/** When channels may be reset again; absent before the first time. */
	@GuardedBy("this")
	private @Nullable Long nextNanos;

	/** Brings the next reset; absent while nobody waits. */
	@GuardedBy("this")
	private @Nullable Timeout next;

	/**
	 * Knows no channel yet.
	 * @param timer says when to reset channels
	 * @param ticker source of time
	 * @param random numbers from 0 to 1, from any thread
	 * @param executor resets channels; their load balancing may block its threads
	 */
	public ClientChannels(Timer timer, Deadline.Ticker ticker, DoubleSupplier random, Executor executor) {
		this.timer = timer;
		this.ticker = ticker;
		this.random = random;
		this.executor = executor;
	}

	/**
	 * Learns of a channel; doing so again changes nothing.
	 * @param channel a channel over which the client makes its calls
	 */
	public synchronized void learn(ManagedChannel channel) {
		this.known.removeIf((held) -> held.refersTo(null) || held.refersTo(channel));
		this.known.add(new WeakReference<>(channel));
		await();
	}

	/**
	 * Whether each channel that is known has a connection.
	 * @return {@code false} also while none is known
	 */
	public boolean isConnected() {
		List<ManagedChannel> channels = channels();
		return !channels.isEmpty() && channels.stream().allMatch(ClientChannels::isReady);
	}

	private static boolean isReady(ManagedChannel channel) {
		try {
			return channel.getState(false) == ConnectivityState.READY;
		}
		catch (UnsupportedOperationException ex) {
			return true; // nobody will ever know
		}
	}

	private synchronized List<ManagedChannel> channels() {
		return this.known.stream().map(WeakReference::get).filter(Objects::nonNull).toList();
	}

	synchronized void beginWaiting() {
		this.waiting++;
		await();
	}

	synchronized void endWaiting() {
		this.waiting--;
		if (this.waiting == 0 && this.next != null) {
			this.next.cancel();
			this.next = null;
		}
	}

	@GuardedBy("this")
	private void await() {
		if (this.waiting > 0 && this.next == null && !this.known.isEmpty()) {
			long rest = (this.nextNanos != null) ? this.nextNanos - this.ticker.nanoTime() : 0;
			this.next = this.timer.schedule(Math.max(0, rest), () -> this.executor.execute(this::reset));
		}
	}

	private void reset() {
		synchronized (this) {
			if (this.next == null) {
				return;
			}
			this.next = null;
			this.nextNanos = this.ticker.nanoTime() + (long) (RESET_NANOS * (0.5 + this.random.getAsDouble()));
			await();
		}
		channels().forEach(this::reset);
	}

	private void reset(ManagedChannel channel) {
		try {
			if (channel.isShutdown()) {
				forget(channel);
			}
			else if (channel.getState(false) != ConnectivityState.READY) {
				channel.resetConnectBackoff();
			}
		}
		catch (UnsupportedOperationException ex) {
			forget(channel); // one of the application's own that does not tell its state
		}
	}

	private synchronized void forget(ManagedChannel channel) {
		this.known.removeIf((held) -> held.refersTo(null) || held.refersTo(channel));
	}

}
