package io.github.grpcresilience.internal.drain;

import java.util.ArrayList;
import java.util.List;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Server;

import io.github.grpcresilience.internal.time.Timeout;

/**
 * A server that goes away. Safe for concurrent use.
 */
final class GoingServer {

	private final Server server;

	/** As the ticker says it: from when on calls that arrive come too late. */
	private final long lateNanos;

	/** Written by whoever ends its calls, before these are looked for. */
	private volatile boolean ends;

	@GuardedBy("this")
	private final List<Timeout> steps = new ArrayList<>();

	@GuardedBy("this")
	private boolean gone;

	GoingServer(Server server, long lateNanos) {
		this.server = server;
		this.lateNanos = lateNanos;
	}

	Server server() {
		return this.server;
	}

	boolean isLate(long arrivedNanos) {
		return this.ends || arrivedNanos - this.lateNanos >= 0;
	}

	boolean ends() {
		return this.ends;
	}

	void end() {
		this.ends = true;
	}

	/**
	 * Keeps what is to be done later, unless the server is gone by then.
	 */
	synchronized void keep(Timeout step) {
		if (this.gone) {
			step.cancel();
		}
		else {
			this.steps.add(step);
		}
	}

	synchronized void gone() {
		this.gone = true;
		this.steps.forEach(Timeout::cancel);
		this.steps.clear();
	}

}
