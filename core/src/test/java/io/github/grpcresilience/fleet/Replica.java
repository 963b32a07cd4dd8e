package io.github.grpcresilience.fleet;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A {@link FleetServer} in a process, at the same address in each of its lives. Confined
 * to the thread of the test.
 */
final class Replica implements AutoCloseable {

	private static final long PATIENCE_SECONDS = 60;

	private final String name;

	private final InetSocketAddress address;

	private final List<String> within;

	private final Duration drainLimit;

	private final Duration connectionAge;

	private Process process;

	Replica(String name, Duration drainLimit, Duration connectionAge) {
		this(name, freeAddress(), List.of(), drainLimit, connectionAge);
	}

	/**
	 * A replica elsewhere.
	 * @param within the command that runs a command there
	 */
	Replica(String name, InetSocketAddress address, List<String> within, Duration drainLimit, Duration connectionAge) {
		this.name = name;
		this.address = address;
		this.within = within;
		this.drainLimit = drainLimit;
		this.connectionAge = connectionAge;
	}

	String name() {
		return this.name;
	}

	InetSocketAddress address() {
		return this.address;
	}

	Replica start() {
		try {
			List<String> command = new ArrayList<>(this.within);
			command.addAll(List.of(java(), "-XX:TieredStopAtLevel=1", "-Xmx128m", "-cp",
					System.getProperty("java.class.path"), FleetServer.class.getName(), this.name,
					this.address.getAddress().getHostAddress(), String.valueOf(this.address.getPort()),
					String.valueOf(this.drainLimit.toMillis()), String.valueOf(this.connectionAge.toMillis())));
			this.process = new ProcessBuilder(command)
				.redirectError(Path.of("target", "fleet-" + this.name + ".log").toFile())
				.start();
			BufferedReader output = this.process.inputReader(Charset.defaultCharset());
			assertThat(output.readLine()).as("output of %s", this.name).isEqualTo(FleetServer.READY);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return this;
	}

	/** SIGTERM, and nothing else: {@code Process.destroy()} ends its input as well. */
	void terminate() {
		this.process.toHandle().destroy();
	}

	/** SIGKILL. */
	void kill() {
		this.process.destroyForcibly();
	}

	void pause() {
		signal("STOP");
	}

	void resume() {
		signal("CONT");
	}

	/**
	 * Waits until the process is gone.
	 * @return its exit code
	 */
	int awaitExit() throws InterruptedException {
		assertThat(this.process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("%s has exited", this.name).isTrue();
		return this.process.exitValue();
	}

	private void signal(String signal) {
		try {
			int code = new ProcessBuilder("sh", "-c", "kill -" + signal + " " + this.process.pid()).start().waitFor();
			assertThat(code).as("exit code of kill").isZero();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	static String java() {
		return Path.of(System.getProperty("java.home"), "bin", "java").toString();
	}

	/**
	 * Not from the range of which clients get their ports: one of them might take it
	 * between two lives.
	 */
	private static InetSocketAddress freeAddress() {
		InetAddress loopback = InetAddress.getLoopbackAddress();
		while (true) {
			InetSocketAddress address = new InetSocketAddress(loopback,
					ThreadLocalRandom.current().nextInt(20_000, 32_000));
			try (ServerSocket socket = new ServerSocket()) {
				socket.bind(address);
				return address;
			}
			catch (IOException ex) {
				// somebody has it: another one
			}
		}
	}

	@Override
	public void close() {
		if (this.process != null) {
			this.process.destroyForcibly();
		}
	}

}
