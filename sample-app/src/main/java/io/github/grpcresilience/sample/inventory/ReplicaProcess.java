package io.github.grpcresilience.sample.inventory;

import java.io.IOException;
import java.util.Optional;

import org.springframework.boot.DefaultApplicationArguments;

/**
 * What a process does that {@link Replicas} has started: it tells when it is ready, and
 * ends when its parent does, whatever ended that.
 */
public final class ReplicaProcess {

	/** Names the number of a replica that was started as such. */
	static final String NUMBER = "inventory.replica";

	static final String READY = "This replica is ready";

	private ReplicaProcess() {
	}

	/**
	 * Finds out whether this process is one.
	 * @param args the command line
	 * @return empty if somebody else has started it
	 */
	public static Optional<ReplicaProcess> find(String... args) {
		return new DefaultApplicationArguments(args).containsOption(NUMBER) ? Optional.of(new ReplicaProcess())
				: Optional.empty();
	}

	/**
	 * Ends this process, with its shutdown hooks, once its parent is gone: the parent
	 * writes nothing, so its end is the first that can be read.
	 */
	public void endWithParent() {
		Thread watch = new Thread(() -> {
			awaitEndOfInput();
			System.exit(0);
		}, "end-with-parent");
		watch.setDaemon(true);
		watch.start();
	}

	/**
	 * Tells the parent that calls are served, and that SIGTERM is a drain from now on.
	 */
	public void tellReady() {
		System.out.println(READY);
	}

	private static void awaitEndOfInput() {
		try {
			while (System.in.read() >= 0) {
				// nobody writes anything that matters
			}
		}
		catch (IOException ex) {
			// gone as well
		}
	}

}
