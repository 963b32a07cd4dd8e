package io.github.grpcresilience;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

import io.grpc.Server;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.drain.ServerDrains;
import io.github.grpcresilience.internal.policy.DrainSettings;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;

/**
 * How servers go away without a call that fails for it. Safe for concurrent use.
 *
 * <p>
 * Without a framework, {@link #shutdown} is all there is to call. Frameworks that shut
 * servers down themselves say when: {@link #closing}, {@link #pause}, {@link #begin},
 * {@link #end}.
 */
public final class Drain {

	/** What is left of a framework's own grace for answers at its end, at most. */
	private static final Duration LEAD = Duration.ofSeconds(1);

	private final Map<String, Setting<?>> settings;

	private final boolean enforced;

	private final ServerDrains drains;

	Drain(Map<String, Setting<?>> settings, boolean enforced, ServerDrains drains) {
		this.settings = settings;
		this.enforced = enforced;
		this.drains = drains;
	}

	/**
	 * Shuts servers down. Waits for the pause, in which they serve as ever; then sends
	 * GOAWAY and waits for the calls in flight, for as long as the limit says; then ends
	 * what is left as {@code UNAVAILABLE}. Returns when they are terminated, at most a
	 * second after the limit. In mode {@code observe} what is left is cut, as
	 * {@link Server#shutdownNow} does. Set health to not serving before, and end channels
	 * and pools after it.
	 * @param servers the servers; those that never started, or that are shut down, are no
	 * mistake
	 */
	public void shutdown(Server... servers) {
		if (List.of(servers).stream().anyMatch(Drain::serves)) {
			pause();
		}
		for (Server server : servers) {
			server.shutdown();
			begin(server, null);
		}
		long end = System.nanoTime() + limit().toNanos();
		try {
			for (Server server : servers) {
				long patience = end - System.nanoTime() + (this.enforced ? LEAD.toNanos() : 0);
				server.awaitTermination(patience, TimeUnit.NANOSECONDS);
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			List.of(servers).forEach(this::answerAll);
		}
		finally {
			for (Server server : servers) {
				server.shutdownNow();
				end(server);
			}
		}
	}

	private void answerAll(Server server) {
		try {
			// Also on a thread that was interrupted: it takes a moment.
			this.drains.end(server).orTimeout(LEAD.toMillis(), TimeUnit.MILLISECONDS).join();
		}
		catch (CompletionException ex) {
			// What could not be answered by now is cut.
		}
	}

	private static boolean serves(Server server) {
		try {
			return !server.isShutdown() && server.getPort() != 0;
		}
		catch (IllegalStateException ex) {
			return false; // it never started
		}
	}

	/**
	 * The application begins to end, and with it whatever may interrupt its threads:
	 * handlers that fail for that answer {@code UNAVAILABLE}.
	 */
	public void closing() {
		if (this.enforced) {
			this.drains.closing();
		}
	}

	/**
	 * Waits for as long as the pause says, or until the thread is interrupted.
	 */
	public void pause() {
		if (this.enforced && !value(DrainSettings.PAUSE).isZero()) {
			try {
				TimeUnit.NANOSECONDS.sleep(value(DrainSettings.PAUSE).toNanos());
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}
	}

	/**
	 * A server was shut down, or will be in a moment: its calls may go on until the
	 * limit.
	 * @param server the server
	 * @param grace after which the framework cuts calls itself; {@code null} for never.
	 * They are answered before; where it is zero, before this returns
	 */
	public void begin(Server server, @Nullable Duration grace) {
		if (!this.enforced) {
			return;
		}
		if (grace == null || !grace.isZero()) {
			this.drains.begin(server, limit(grace).toNanos());
			return;
		}
		server.shutdown();
		this.drains.begin(server, LEAD.toNanos());
		answerAll(server);
	}

	/**
	 * A server is terminated.
	 * @param server the server
	 */
	public void end(Server server) {
		this.drains.gone(server);
	}

	/**
	 * How long calls in flight may go on.
	 * @return the limit
	 */
	public Duration limit() {
		return value(DrainSettings.LIMIT);
	}

	/**
	 * How long calls in flight may go on, where a framework cuts them itself.
	 * @param grace after which it does; {@code null} for never
	 * @return the limit, or less
	 */
	public Duration limit(@Nullable Duration grace) {
		Duration limit = limit();
		if (grace == null || grace.isNegative()) {
			return limit;
		}
		Duration lead = (grace.compareTo(LEAD.multipliedBy(2)) < 0) ? grace.dividedBy(2) : LEAD;
		Duration before = grace.minus(lead);
		return (limit.compareTo(before) <= 0) ? limit : before;
	}

	/**
	 * How servers go away.
	 * @return the settings by their names
	 */
	public Map<String, Setting<?>> settings() {
		return this.settings;
	}

	private Duration value(SettingKey<Duration> key) {
		Setting<?> setting = this.settings.get(key.name());
		return (setting != null) ? key.cast(setting) : Duration.ZERO;
	}

}
