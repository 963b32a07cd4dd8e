package io.github.grpcresilience.internal.cancel.jdbc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A MariaDB server from the system's packages, in a folder of its own and with no
 * settings but these.
 */
final class MariaDbServer {

	private final int port = freePort();

	private MariaDbServer() {
		try {
			start(TemporaryFolders.create("mariadb"));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	static MariaDbServer get() {
		return Holder.INSTANCE;
	}

	String address() {
		return "127.0.0.1:" + this.port + "/tests";
	}

	private void start(Path folder) throws IOException, InterruptedException {
		String data = "--datadir=" + folder.resolve("data");
		Process installing = run(folder, "mariadb-install-db", data, "--auth-root-authentication-method=normal",
				"--skip-test-db");
		assertThat(installing.waitFor(1, TimeUnit.MINUTES)).isTrue();
		assertThat(installing.exitValue()).as(() -> log(folder)).isZero();
		Process server = run(folder, "mariadbd", data, "--socket=" + folder.resolve("socket"), "--port=" + this.port,
				"--bind-address=127.0.0.1", "--skip-name-resolve", "--local-infile=1", "--max-connections=300");
		Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, folder)));
		await().until(() -> !server.isAlive() || answers());
		assertThat(server.isAlive()).as(() -> log(folder)).isTrue();
	}

	private static Process run(Path folder, String program, String... arguments) throws IOException {
		// Debian keeps the server where only root's path leads.
		List<String> command = new ArrayList<>(List.of("env", "PATH=" + System.getenv("PATH") + ":/usr/sbin", program,
				"--no-defaults", "--user=" + System.getProperty("user.name"), "--innodb-log-file-size=16M"));
		command.addAll(List.of(arguments));
		return new ProcessBuilder(command).redirectErrorStream(true)
			.redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
			.start();
	}

	private boolean answers() {
		try {
			DriverManager.getConnection("jdbc:mariadb://" + address() + "?user=root&createDatabaseIfNotExist=true")
				.close();
			return true;
		}
		catch (SQLException ex) {
			return false;
		}
	}

	private static String log(Path folder) {
		try {
			return Files.readString(folder.resolve("log"));
		}
		catch (IOException ex) {
			return ex.toString();
		}
	}

	private static void stop(Process server, Path folder) {
		server.destroyForcibly();
		server.onExit().join();
		TemporaryFolders.delete(folder);
	}

	private static int freePort() {
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			return socket.getLocalPort();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static final class Holder {

		private static final MariaDbServer INSTANCE = new MariaDbServer();

	}

}
