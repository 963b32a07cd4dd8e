package io.github.grpcresilience.internal.drain;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.Draining;
import io.github.grpcresilience.internal.call.PolicyCall;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.status.RetryDelay;
import io.github.grpcresilience.internal.time.CoarseTimer;

/**
 * The servers of an application that go away, and what becomes of their calls. Safe for
 * concurrent use.
 *
 * <p>
 * No call is registered anywhere for it: the timer knows each one, and hands over early
 * those of a server whose time has come (decision 38).
 */
public final class ServerDrains implements Draining {

	/**
	 * How long after GOAWAY calls may arrive that nobody told their callers to send
	 * elsewhere: several round trips, and a pause of a caller's garbage collector.
	 */
	public static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(2);

	/** After the first message of a watch, which says that the server does not serve. */
	private static final long WATCH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

	/** What answers take that are on their way. */
	private static final long LAST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

	private final CoarseTimer timer;

	private final Deadline.Ticker ticker;

	private final DrainAnswer answer;

	private final HealthWatches watches;

	private final Map<Server, GoingServer> going = new ConcurrentHashMap<>();

	@GuardedBy("this")
	private boolean closing;

	/** As the ticker says it: when the first server's calls end; 0 for none yet. */
	@GuardedBy("this")
	private long endNanos;

	/** Written under the lock: whether the application ends, or any server goes away. */
	private volatile boolean on;

	/**
	 * Knows no server that goes away.
	 * @param service name of this application, for what callers are told
	 * @param ticker source of time
	 * @param timer knows the calls
	 */
	public ServerDrains(String service, Deadline.Ticker ticker, CoarseTimer timer) {
		this.timer = timer;
		this.ticker = ticker;
		this.answer = new DrainAnswer(service, new RetryDelay());
		this.watches = new HealthWatches(this, this.answer);
	}

	/**
	 * Goes outermost.
	 * @return an interceptor for those who watch the server's health
	 */
	public ServerInterceptor watches() {
		return this.watches;
	}

	/**
	 * The application ends: whoever is interrupted from now on, is so for that.
	 */
	public synchronized void closing() {
		this.closing = true;
		this.on = true;
	}

	/**
	 * A server goes away: it has been shut down, or will be in a moment.
	 * @param server the server
	 * @param limitNanos how long its calls may go on; where the application ends and has
	 * several servers, those of all of them together
	 */
	public void begin(Server server, long limitNanos) {
		GoingServer goes = add(server);
		if (goes != null) {
			goes.keep(this.timer.schedule(WATCH_NANOS, () -> this.watches.end(server)));
			goes.keep(this.timer.schedule(within(limitNanos), () -> end(goes, () -> {
			})));
		}
	}

	private synchronized long within(long limitNanos) {
		if (!this.closing) {
			return limitNanos;
		}
		long now = this.ticker.nanoTime();
		if (this.endNanos == 0) {
			this.endNanos = now + limitNanos;
		}
		return Math.min(limitNanos, Math.max(0, this.endNanos - now));
	}

	private synchronized @Nullable GoingServer add(Server server) {
		GoingServer goes = new GoingServer(server, this.ticker.nanoTime() + LATE_NANOS);
		if (this.going.putIfAbsent(server, goes) != null) {
			return null;
		}
		this.on = true;
		return goes;
	}

	/**
	 * Ends now what calls of a server are left.
	 * @param server the server, which goes away
	 * @return completed once they are answered
	 */
	public CompletableFuture<@Nullable Void> end(Server server) {
		CompletableFuture<@Nullable Void> answered = new CompletableFuture<>();
		GoingServer goes = this.going.get(server);
		if (goes != null) {
			end(goes, () -> answered.complete(null));
		}
		else {
			answered.complete(null);
		}
		return answered;
	}

	private void end(GoingServer goes, Runnable answered) {
		Server server = goes.server();
		goes.end();
		this.watches.end(server);
		goes.keep(this.timer.schedule(LAST_NANOS, () -> {
			server.shutdownNow();
			gone(server);
		}));
		this.timer.hurry((action) -> action instanceof PolicyCall<?, ?> call && call.isServedBy(server), answered);
	}

	/**
	 * A server has gone away, or never was there.
	 * @param server the server
	 */
	public synchronized void gone(Server server) {
		GoingServer went = this.going.remove(server);
		this.on = this.closing || !this.going.isEmpty();
		if (went != null) {
			went.gone();
		}
	}

	@Override
	public boolean isOn() {
		return this.on;
	}

	@Override
	public boolean refuses(ServedCall call, @Nullable Server server) {
		GoingServer goes = find(server);
		return goes != null && goes.isLate(call.record().at(0));
	}

	@Override
	public boolean ends(@Nullable Server server) {
		GoingServer goes = find(server);
		return goes != null && goes.ends();
	}

	boolean endsWatches(Server server) {
		return this.on && this.going.containsKey(server);
	}

	private @Nullable GoingServer find(@Nullable Server server) {
		return (server != null) ? this.going.get(server) : null;
	}

	@Override
	public Status answer(ServedCall call, Metadata trailers) {
		return this.answer.write(trailers, call.method().name());
	}

	/**
	 * Whether anything is left of servers that went away.
	 * @return servers that go away, and watches that are open
	 */
	public int size() {
		return this.going.size() + this.watches.size();
	}

}
