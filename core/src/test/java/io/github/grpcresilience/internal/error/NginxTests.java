package io.github.grpcresilience.internal.error;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

import io.grpc.Channel;
import io.grpc.Server;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What callers see through a real nginx with its default buffers.
 */
@Tag("foreign")
class NginxTests {

	private final Loopback loopback = new Loopback();

	@TempDir
	private Path folder;

	private Process nginx;

	@AfterEach
	void end() throws Exception {
		this.loopback.close();
		if (this.nginx != null) {
			this.nginx.destroy();
			assertThat(this.nginx.waitFor(20, TimeUnit.SECONDS)).isTrue();
		}
	}

	@Test
	void detailsGetThroughADefaultNginx() throws Exception {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());
		Shop shop = new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			GrpcError error = GrpcError.of(Status.Code.FAILED_PRECONDITION)
				.reason("CART_INVALID")
				.message("\u00e4".repeat(400));
			for (int i = 0; i < 15; i++) {
				error = error.withViolation("items[" + i + "]", "x".repeat(200));
			}
			observer.onError(error);
		});
		Channel channel = this.loopback.plainChannel(proxy(this.loopback.serve(resilience, shop)));
		Loopback.warmUp(channel);
		Ended ended = Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		GrpcErrors errors = GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
		assertThat(errors.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
		assertThat(errors.reason()).hasValue("CART_INVALID");
	}

	private int proxy(Server server) throws IOException {
		int port = freePort();
		Path config = Files.write(this.folder.resolve("nginx.conf"),
				List.of("daemon off;", "master_process off;", "pid " + this.folder.resolve("pid") + ";",
						"error_log stderr;", "events {}", "http {", "access_log off;", temporary("client_body"),
						temporary("proxy"), temporary("fastcgi"), temporary("uwsgi"), temporary("scgi"),
						"server { listen 127.0.0.1:" + port + " http2;",
						"location / { grpc_pass grpc://127.0.0.1:" + server.getPort() + "; } } }"));
		this.nginx = new ProcessBuilder("nginx", "-c", config.toString(), "-p", this.folder.toString())
			.redirectErrorStream(true)
			.redirectOutput(this.folder.resolve("log").toFile())
			.start();
		await().atMost(Duration.ofSeconds(20)).until(() -> isOpen(port));
		return port;
	}

	private String temporary(String kind) {
		return kind + "_temp_path " + this.folder.resolve(kind) + ";";
	}

	private static boolean isOpen(int port) {
		try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
			return socket.isConnected();
		}
		catch (IOException ex) {
			return false;
		}
	}

	private static int freePort() throws IOException {
		try (ServerSocket socket = new ServerSocket(0)) {
			return socket.getLocalPort();
		}
	}

}
