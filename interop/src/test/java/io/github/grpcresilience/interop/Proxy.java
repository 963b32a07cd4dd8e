package io.github.grpcresilience.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A proxy in a process of its own, on a free port of loopback, in front of some servers.
 */
final class Proxy implements AutoCloseable {

	private final Kind kind;

	private final Path folder;

	private final int port;

	private Process process;

	private Proxy(Kind kind, Path folder, int port) {
		this.kind = kind;
		this.folder = folder;
		this.port = port;
	}

	static Proxy start(Kind kind, Path folder, int... servers) {
		try {
			Proxy proxy = new Proxy(kind, folder, freePort());
			Files.writeString(folder.resolve("config"), kind.config(folder, proxy.port, servers));
			proxy.start();
			return proxy;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	int port() {
		return this.port;
	}

	private void start() {
		try {
			this.process = new ProcessBuilder(this.kind.command(this.folder)).redirectErrorStream(true)
				.redirectOutput(ProcessBuilder.Redirect.appendTo(this.folder.resolve("log").toFile()))
				.start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		await().atMost(Duration.ofSeconds(20)).until(this::isOpen);
	}

	/** As an operator does: what is in flight is cut. */
	void restart() {
		close();
		start();
	}

	private boolean isOpen() {
		assertThat(this.process.isAlive()).as("runs; its output is in %s", this.folder).isTrue();
		try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), this.port)) {
			return socket.isConnected();
		}
		catch (IOException ex) {
			return false;
		}
	}

	private static int freePort() throws IOException {
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			return socket.getLocalPort();
		}
	}

	@Override
	public void close() {
		this.process.destroy();
		try {
			assertThat(this.process.waitFor(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * What it is, and how it is told.
	 */
	enum Kind {

		/** Knows HTTP/2 and gRPC. */
		NGINX("nginx") {

			@Override
			List<String> command(Path folder) {
				return List.of("nginx", "-c", folder.resolve("config").toString(), "-p", folder.toString());
			}

			@Override
			String config(Path folder, int port, int... servers) {
				String temporary = List.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
					.stream()
					.map((each) -> each + "_temp_path " + folder.resolve(each) + ";\n")
					.collect(Collectors.joining());
				return """
						daemon off;
						master_process off;
						pid %s/pid;
						error_log stderr;
						events {}
						http {
						access_log off;
						%s
						upstream shop {
						%s
						}
						server {
						listen 127.0.0.1:%d http2;
						location / {
						grpc_pass grpc://shop;
						grpc_read_timeout 1h;
						grpc_send_timeout 1h;
						}
						}
						}
						""".formatted(folder, temporary, servers("server 127.0.0.1:%2$d;", servers), port);
			}

		},

		/** Knows HTTP/2. */
		HAPROXY_HTTP2("haproxy") {

			@Override
			String config(Path folder, int port, int... servers) {
				return haproxy("http", " proto h2", port, servers);
			}

		},

		/** Knows connections alone. */
		HAPROXY_TCP("haproxy") {

			@Override
			String config(Path folder, int port, int... servers) {
				return haproxy("tcp", "", port, servers);
			}

		};

		private final String program;

		Kind(String program) {
			this.program = program;
		}

		List<String> command(Path folder) {
			return List.of(this.program, "-db", "-f", folder.resolve("config").toString());
		}

		abstract String config(Path folder, int port, int... servers);

		private static String haproxy(String mode, String protocol, int port, int... servers) {
			return """
					defaults
					mode %1$s
					timeout connect 5s
					timeout client 1h
					timeout server 1h
					frontend calls
					bind 127.0.0.1:%3$d%2$s
					default_backend shop
					backend shop
					balance roundrobin
					%4$s
					""".formatted(mode, protocol, port, servers("server s%1$d 127.0.0.1:%2$d" + protocol, servers));
		}

		private static String servers(String line, int... ports) {
			return IntStream.range(0, ports.length)
				.mapToObj((index) -> line.formatted(index, ports[index]))
				.collect(Collectors.joining("\n"));
		}

	}

}
