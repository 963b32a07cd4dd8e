package io.github.grpcresilience.internal.connection;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

import io.grpc.Attributes;
import io.grpc.ConnectivityState;
import io.grpc.ConnectivityStateInfo;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer.PickResult;
import io.grpc.LoadBalancer.Subchannel;
import org.jspecify.annotations.Nullable;

/**
 * One backend of a channel: what became of its calls, and whether others should be asked
 * instead for a while (decision 39). Its calls write without a lock and without a look at
 * the clock; what is decided of it is decided by {@link Backends}, under their lock.
 */
final class Backend {

	/** Finds it in what a policy has chosen, however often that was wrapped. */
	static final Attributes.Key<Backend> KEY = Attributes.Key.create("grpc-resilience-backend");

	private static final int RUN = 5;

	private static final int SHARE_CALLS = 10;

	private static final double SHARE = 0.3;

	private static final int SILENT_LOOKS = 6;

	private static final int MAX_LOOKS_UNTIL_TRIAL = 48;

	private static final long EJECTION_NANOS = TimeUnit.SECONDS.toNanos(10);

	private static final int MAX_EJECTION_FACTOR = 32;

	private final Backends others;

	private final LongAdder calls = new LongAdder();

	private final LongAdder successes = new LongAdder();

	private final LongAdder failures = new LongAdder();

	/** Failures since its last success. */
	private final AtomicInteger run = new AtomicInteger();

	/** One call may be sent although it is silent. */
	private final AtomicBoolean trial = new AtomicBoolean();

	/** It was sent a call since the last look. */
	private volatile boolean asked;

	/** Anything came from it since the last look. */
	private volatile boolean heard;

	private volatile boolean silent;

	/** Zero while it is not ejected. */
	private volatile long ejectedUntilNanos;

	/** Replaced when the policy chooses by another result; any thread. */
	private volatile @Nullable TracedPick traced;

	// Written by the channel, one callback at a time:

	private volatile String address;

	private volatile ConnectivityState state = ConnectivityState.IDLE;

	private volatile long readyNanos;

	private volatile @Nullable String lastError;

	// Guarded by the lock of the others:

	private boolean waits;

	private int unansweredLooks;

	private int looksUntilTrial;

	private int nextLooksUntilTrial;

	private int ejectionFactor = 1;

	private Window older = Window.NONE;

	private Window newer = Window.NONE;

	Backend(Backends others, List<EquivalentAddressGroup> addresses) {
		this.others = others;
		this.address = text(addresses);
	}

	/**
	 * Finds what was chosen.
	 * @return {@code null} if nothing was, or nothing that is known
	 */
	static @Nullable Backend of(PickResult result) {
		Subchannel chosen = result.getSubchannel();
		return (chosen != null) ? chosen.getAttributes().get(KEY) : null;
	}

	Backends others() {
		return this.others;
	}

	/**
	 * A call is about to be sent to it.
	 */
	void chosen() {
		this.calls.increment();
	}

	/**
	 * A call was sent to it.
	 */
	void asked() {
		if (!this.asked) {
			this.asked = true;
		}
		this.others.watch();
	}

	/**
	 * Something came from it.
	 */
	void heard() {
		if (!this.heard) {
			this.heard = true;
		}
	}

	/**
	 * A call was answered, if only by what is wrong with its request.
	 */
	void succeeded() {
		this.successes.increment();
		if (this.run.get() != 0) {
			this.run.set(0);
		}
	}

	/**
	 * A call failed for what may be wrong with the backend.
	 */
	void failed() {
		this.failures.increment();
		this.run.incrementAndGet();
		this.others.failed(this);
	}

	/**
	 * What was chosen, with a tracer that tells what becomes of the call.
	 */
	PickResult traced(PickResult result) {
		TracedPick known = this.traced;
		if (known == null || !known.of().equals(result)) {
			known = new TracedPick(result, result
				.copyWithStreamTracerFactory(new BackendTracer.Factory(this, result.getStreamTracerFactory())));
			this.traced = known;
		}
		return known.traced();
	}

	/**
	 * Whether others should be asked. May use up the trial of one that is silent.
	 */
	boolean isAvoided() {
		return isEjected() || (this.silent && !(this.trial.get() && this.trial.compareAndSet(true, false)));
	}

	boolean isEjected() {
		long until = this.ejectedUntilNanos;
		return until != 0 && until - this.others.nanoTime() > 0;
	}

	boolean isReady() {
		return this.state == ConnectivityState.READY;
	}

	/** Whether it was sent a call since the last look. */
	boolean isUsed() {
		return this.asked;
	}

	/** Whether anything came from it since the last look. */
	boolean isHeard() {
		return this.heard;
	}

	/**
	 * Called by the channel.
	 */
	void moved(List<EquivalentAddressGroup> addresses) {
		this.address = text(addresses);
	}

	/**
	 * Called by the channel.
	 */
	void changed(ConnectivityStateInfo info) {
		boolean connected = info.getState() == ConnectivityState.READY && !isReady();
		if (connected) {
			this.readyNanos = this.others.nanoTime();
		}
		if (!info.getStatus().isOk()) {
			String description = info.getStatus().getDescription();
			this.lastError = info.getStatus().getCode() + ((description != null) ? ": " + description : "");
		}
		this.state = info.getState();
		if (connected) {
			this.others.connected(this);
		}
	}

	/**
	 * Forgets what was held against the connection before. Under the lock.
	 */
	void startAnew() {
		this.run.set(0);
		this.ejectedUntilNanos = 0;
		this.silent = false;
		this.waits = false;
		this.unansweredLooks = 0;
		this.older = now();
		this.newer = this.older;
	}

	private Window now() {
		return new Window(this.successes.sum(), this.failures.sum());
	}

	/**
	 * What came of its calls in the last seconds. Under the lock.
	 */
	Window recent() {
		return now().since(this.older);
	}

	/**
	 * Under the lock.
	 */
	void turnWindow() {
		this.older = this.newer;
		this.newer = now();
	}

	/**
	 * Whether so many calls fail that others should be asked, if those do better. Under
	 * the lock.
	 */
	boolean isFailing() {
		return this.run.get() >= RUN || (recent().failures() >= SHARE_CALLS && recent().failedShare() >= SHARE);
	}

	/**
	 * Under the lock.
	 */
	void eject() {
		long until = this.others.nanoTime() + this.ejectionFactor * EJECTION_NANOS;
		this.ejectionFactor = Math.min(2 * this.ejectionFactor, MAX_EJECTION_FACTOR);
		this.run.set(0);
		this.older = now();
		this.newer = this.older;
		this.ejectedUntilNanos = (until != 0) ? until : 1;
	}

	/**
	 * Its ejection was long ago. Under the lock.
	 */
	void forgive() {
		if (!isEjected() && recent().failures() == 0 && recent().successes() > 0) {
			this.ejectionFactor = Math.max(1, this.ejectionFactor / 2);
		}
	}

	/**
	 * Looks whether it says anything, if it was asked. Under the lock.
	 * @param othersHeard whether another one has said anything since the last look
	 */
	void look(boolean othersHeard) {
		this.waits |= this.asked;
		this.asked = false;
		if (this.heard || !isReady()) {
			this.heard = false;
			this.waits = false;
			this.unansweredLooks = 0;
			this.silent = false;
			return;
		}
		if (!this.waits || !othersHeard) {
			return;
		}
		this.unansweredLooks++;
		if (this.unansweredLooks == SILENT_LOOKS) {
			this.silent = true;
			this.nextLooksUntilTrial = SILENT_LOOKS;
			this.looksUntilTrial = SILENT_LOOKS;
		}
		else if (this.silent && --this.looksUntilTrial <= 0) {
			this.trial.set(true);
			this.nextLooksUntilTrial = Math.min(2 * this.nextLooksUntilTrial, MAX_LOOKS_UNTIL_TRIAL);
			this.looksUntilTrial = this.nextLooksUntilTrial;
		}
	}

	/**
	 * Nobody looks any more for a while: the next call tries it. Under the lock.
	 */
	void leaveAlone() {
		this.trial.set(this.silent);
	}

	BackendState describe() {
		Long age = isReady() ? TimeUnit.NANOSECONDS.toSeconds(this.others.nanoTime() - this.readyNanos) : null;
		return new BackendState(this.address, this.state, age, this.calls.sum(), isEjected(), this.silent,
				this.lastError);
	}

	private static String text(List<EquivalentAddressGroup> groups) {
		if (groups.isEmpty() || groups.get(0).getAddresses().isEmpty()) {
			return "";
		}
		SocketAddress first = groups.get(0).getAddresses().get(0);
		int more = groups.stream().mapToInt((group) -> group.getAddresses().size()).sum() - 1;
		return text(first) + ((more > 0) ? " and " + more + " more" : "");
	}

	private static String text(SocketAddress address) {
		return (address instanceof InetSocketAddress inet && inet.getAddress() != null)
				? inet.getAddress().getHostAddress() + ":" + inet.getPort() : address.toString();
	}

	/** What a policy has chosen, and the same with our tracer. */
	private record TracedPick(PickResult of, PickResult traced) {
	}

	/** Results of calls. */
	record Window(long successes, long failures) {

		private static final Window NONE = new Window(0, 0);

		Window since(Window before) {
			return new Window(this.successes - before.successes, this.failures - before.failures);
		}

		Window and(Window other) {
			return new Window(this.successes + other.successes, this.failures + other.failures);
		}

		double failedShare() {
			long calls = this.successes + this.failures;
			return (calls > 0) ? (double) this.failures / calls : 0;
		}

	}

}
