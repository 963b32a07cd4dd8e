package io.github.grpcresilience.internal.connection;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Deadline;

import io.github.grpcresilience.internal.connection.Backend.Window;
import io.github.grpcresilience.internal.time.Timer;

/**
 * The backends of one channel. Ejects the one that fails while the others do not, and
 * notices the one that was asked and says nothing while the others do (decision 39). A
 * timeout is held only while calls are made. Safe for concurrent use: calls take no lock
 * here, unless they fail.
 */
final class Backends {

	static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

	private static final int LOOKS_OF_A_WINDOW = 10;

	/** So much must the others have to show for themselves. */
	private static final int MIN_SUCCESSES = 3;

	private static final double FINE_SHARE = 0.05;

	private final List<Backend> all = new CopyOnWriteArrayList<>();

	private final boolean shielded;

	private final Timer timer;

	private final Deadline.Ticker ticker;

	private volatile int ready;

	/** The next look is due. */
	private volatile boolean watching;

	@GuardedBy("this")
	private int looks;

	Backends(boolean shielded, Timer timer, Deadline.Ticker ticker) {
		this.shielded = shielded;
		this.timer = timer;
		this.ticker = ticker;
	}

	long nanoTime() {
		return this.ticker.nanoTime();
	}

	List<BackendState> describe() {
		return this.all.stream().map(Backend::describe).toList();
	}

	/**
	 * How many can take a call.
	 */
	int ready() {
		return this.ready;
	}

	boolean isShielded() {
		return this.shielded;
	}

	void add(Backend backend) {
		this.all.add(backend);
	}

	void remove(Backend backend) {
		this.all.remove(backend);
		count();
	}

	/**
	 * The state of one has changed. Called by the channel.
	 */
	void count() {
		this.ready = (int) this.all.stream().filter(Backend::isReady).count();
	}

	/**
	 * What the connection before did is not held against a new one.
	 */
	synchronized void connected(Backend backend) {
		backend.startAnew();
	}

	/**
	 * A call has failed.
	 */
	void failed(Backend backend) {
		if (this.shielded && backend.isReady() && this.ready > 1) {
			judge(backend);
		}
	}

	private synchronized void judge(Backend failing) {
		if (failing.isEjected() || !failing.isFailing()) {
			return;
		}
		int ejected = 1;
		Window others = new Window(0, 0);
		for (Backend other : this.all) {
			if (other != failing && other.isReady()) {
				if (other.isEjected()) {
					ejected++;
				}
				else {
					others = others.and(other.recent());
				}
			}
		}
		if (2 * ejected <= this.ready && others.successes() >= MIN_SUCCESSES && others.failedShare() <= FINE_SHARE) {
			failing.eject();
		}
	}

	/**
	 * Begins to look at them, now that one was sent a call.
	 */
	void watch() {
		if (!this.watching && this.shielded) {
			begin();
		}
	}

	private synchronized void begin() {
		if (!this.watching) {
			this.watching = true;
			this.timer.schedule(LOOK_NANOS, this::look);
		}
	}

	private void look() {
		boolean used;
		synchronized (this) {
			long heard = this.all.stream().filter(Backend::isHeard).count();
			used = heard > 0 || this.all.stream().anyMatch(Backend::isUsed);
			for (Backend backend : this.all) {
				backend.look(heard > (backend.isHeard() ? 1 : 0));
			}
			if (++this.looks % LOOKS_OF_A_WINDOW == 0) {
				this.all.forEach(Backend::forgive);
				this.all.forEach(Backend::turnWindow);
			}
			if (used) {
				this.timer.schedule(LOOK_NANOS, this::look);
			}
			else {
				this.all.forEach(Backend::leaveAlone);
				this.watching = false;
			}
		}
		if (!used && this.all.stream().anyMatch(Backend::isUsed)) {
			begin(); // it was used when this was still watching
		}
	}

}
