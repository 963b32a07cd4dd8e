package io.github.grpcresilience.sample.inventory;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/**
 * A further process of this program that serves inventory. It can be started and stopped
 * as often as one likes. All fields are guarded by its lock.
 */
final class Replica {

	private static final boolean PAUSABLE = !System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("windows");

	private final int number;

	private final int port;

	private final List<String> command;

	private State state = State.STOPPED;

	/** That of the last start; null before the first. */
	private @Nullable Process process;

	/** What keeps the process paused; null while it is not. */
	private @Nullable Process pause;

	private CompletableFuture<Void> ready = new CompletableFuture<>();

	Replica(int number, int port, List<String> command) {
		this.number = number;
		this.port = port;
		this.command = command;
	}

	/**
	 * Starts a process, or lets the paused one go on.
	 */
	synchronized void start() {
		switch (this.state) {
			case STOPPED -> launch();
			case PAUSED -> {
				resume();
				this.state = State.RUNNING;
			}
			case STOPPING -> throw conflict("still stops: start it when it has");
			case STARTING, RUNNING -> {
			}
		}
	}

	/**
	 * Sends SIGTERM: the replica drains and ends.
	 */
	synchronized void stop() {
		if (this.process == null || this.state == State.STOPPED || this.state == State.STOPPING) {
			return;
		}
		// Process.destroy() would close its output as well, and with it what it still
		// tells.
		this.process.toHandle().destroy();
		resume(); // one that is paused would not see the signal
		this.state = State.STOPPING;
	}

	/**
	 * Sends SIGSTOP: the replica keeps its connections and does nothing any more.
	 */
	synchronized void pause() {
		if (!PAUSABLE) {
			throw conflict("cannot be paused: this operating system has no SIGSTOP");
		}
		switch (this.state) {
			case RUNNING -> {
				this.pause = pause(Objects.requireNonNull(this.process));
				this.state = State.PAUSED;
			}
			case PAUSED -> {
			}
			default -> throw conflict("is " + this.state + ": only a running one can be paused");
		}
	}

	/**
	 * Waits until the last start has succeeded.
	 * @throws java.util.concurrent.CompletionException if the process ended before
	 */
	void awaitReady() {
		CompletableFuture<Void> awaited;
		synchronized (this) {
			awaited = this.ready;
		}
		awaited.join();
	}

	/**
	 * Waits until the process has ended, and ends it if it does not by itself.
	 */
	void awaitStopped(long timeoutSeconds) throws InterruptedException {
		Process ending;
		synchronized (this) {
			ending = this.process;
		}
		if (ending != null && !ending.waitFor(timeoutSeconds, TimeUnit.SECONDS)) {
			ending.destroyForcibly().waitFor();
		}
	}

	synchronized Description describe() {
		Process current = (this.state != State.STOPPED) ? this.process : null;
		return new Description(this.number, this.port, (current != null) ? current.pid() : null, this.state.toString());
	}

	private void launch() {
		try {
			Process launched = new ProcessBuilder(this.command).redirectErrorStream(true).start();
			CompletableFuture<Void> launchedReady = new CompletableFuture<>();
			this.process = launched;
			this.ready = launchedReady;
			this.state = State.STARTING;
			Thread output = new Thread(() -> passOn(launched, launchedReady), "replica-" + this.number);
			output.setDaemon(true);
			output.start();
			CompletableFuture<?> unused = launched.onExit().thenRun(() -> ended(launched, launchedReady));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private void passOn(Process launched, CompletableFuture<Void> launchedReady) {
		try (BufferedReader lines = launched.inputReader(Charset.defaultCharset())) {
			for (String line = lines.readLine(); line != null; line = lines.readLine()) {
				if (line.equals(ReplicaProcess.READY)) {
					ready(launched, launchedReady);
				}
				else {
					System.out.println("[inventory-" + this.number + "] " + line);
				}
			}
		}
		catch (IOException ex) {
			// it is gone, which onExit tells
		}
	}

	private synchronized void ready(Process launched, CompletableFuture<Void> launchedReady) {
		if (launched == this.process && this.state == State.STARTING) {
			this.state = State.RUNNING;
		}
		launchedReady.complete(null);
	}

	private synchronized void ended(Process launched, CompletableFuture<Void> launchedReady) {
		if (launched == this.process) {
			this.state = State.STOPPED;
		}
		launchedReady.completeExceptionally(new IllegalStateException(
				"Replica %d of inventory ended with status %d before it was ready; it needs port %d"
					.formatted(this.number, launched.exitValue(), this.port)));
	}

	/**
	 * A shell stops it and lets it go on when its own input ends: as the end of this
	 * process ends all its pipes, a paused replica does not outlive it. A shell has
	 * {@code kill} built in, which may be missing as a program.
	 */
	private Process pause(Process running) {
		String script = "kill -STOP %1$d && echo paused; read line; kill -CONT %1$d".formatted(running.pid());
		try {
			Process shell = new ProcessBuilder("sh", "-c", script).redirectErrorStream(true).start();
			BufferedReader output = shell.inputReader(Charset.defaultCharset());
			if (!"paused".equals(output.readLine())) {
				throw conflict("got no SIGSTOP");
			}
			return shell;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private void resume() {
		Process shell = this.pause;
		this.pause = null;
		if (shell == null) {
			return;
		}
		try {
			shell.getOutputStream().close();
			shell.waitFor();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private ReplicaException conflict(String problem) {
		return new ReplicaException(HttpStatus.CONFLICT, "Replica " + this.number + " " + problem);
	}

	private enum State {

		STARTING, RUNNING, PAUSED, STOPPING, STOPPED;

		@Override
		public String toString() {
			return name().toLowerCase(Locale.ROOT);
		}

	}

	/**
	 * What a replica is.
	 *
	 * @param replica its number
	 * @param instance its name in answers
	 * @param port where it serves gRPC
	 * @param pid its process; null if there is none
	 * @param state starting, running, paused, stopping or stopped
	 */
	record Description(int replica, String instance, int port, @Nullable Long pid, String state) {

		Description(int replica, int port, @Nullable Long pid, String state) {
			this(replica, "inventory-" + replica, port, pid, state);
		}

	}

}
