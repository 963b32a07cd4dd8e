package io.github.grpcresilience.sample;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * All roles on free ports, warmed up. One is started once for all tests of this JVM; with
 * replicas of inventory each test class has its own.
 */
final class RunningShop implements AutoCloseable {

	private static final List<String> PORTS = List.of("gateway.http", "orders.http", "orders.grpc", "inventory.http",
			"inventory.grpc");

	/**
	 * inventory ends Get long before any caller's timer would: so that tests of its
	 * answer race with nobody.
	 */
	private static final List<String> SHORT_GET = List.of(
			"--grpc.resilience.server.policies.short.methods=shop.v1.Inventory/Get",
			"--grpc.resilience.server.policies.short.deadline.max=1200ms");

	private final HttpClient client = HttpClient.newHttpClient();

	private final List<Integer> ports;

	private final Shop shop;

	private RunningShop(int replicas) {
		try {
			this.ports = freePorts(PORTS.size() + replicas - 1);
			String replicaPorts = this.ports.stream()
				.skip(PORTS.size())
				.map(String::valueOf)
				.collect(Collectors.joining(","));
			String[] args = Stream
				.of(PORTS.stream().map((name) -> "--shop.%s-port=%d".formatted(name, port(name))), SHORT_GET.stream(),
						Stream.of("--inventory.replicas=" + replicas),
						Stream.of("--shop.inventory.replica-ports=" + replicaPorts))
				.flatMap((part) -> part)
				.toArray(String[]::new);
			this.shop = Shop.start(List.of(Role.values()), args);
			for (int i = 0; i < 20; i++) {
				checkout("SKU-1?budget=30s&orders=1ms&inventory=1ms&query=1ms");
			}
		}
		catch (IOException | InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	static RunningShop get() {
		return Shared.INSTANCE;
	}

	static RunningShop withReplicas(int replicas) {
		return new RunningShop(replicas);
	}

	int port(String name) {
		return this.ports.get(PORTS.indexOf(name));
	}

	Answer checkout(String path, String... headers) throws IOException, InterruptedException {
		return get("gateway.http", "/checkout/" + path, headers);
	}

	Answer get(String port, String path, String... headers) throws IOException, InterruptedException {
		HttpRequest.Builder request = request(port, path);
		if (headers.length > 0) {
			request.headers(headers);
		}
		return send(request);
	}

	Answer post(String port, String path) throws IOException, InterruptedException {
		return send(request(port, path).POST(BodyPublishers.noBody()));
	}

	private HttpRequest.Builder request(String port, String path) {
		return HttpRequest.newBuilder(URI.create("http://localhost:" + port(port) + path));
	}

	private Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
		HttpResponse<String> response = this.client.send(request.build(), BodyHandlers.ofString());
		return new Answer(response.statusCode(), response.headers(), new ObjectMapper().readTree(response.body()));
	}

	static int freePort() throws IOException {
		try (ServerSocket socket = new ServerSocket(0)) {
			return socket.getLocalPort();
		}
	}

	/** All are held until the last is found, so that they differ. */
	static List<Integer> freePorts(int count) throws IOException {
		List<ServerSocket> sockets = new ArrayList<>();
		List<Integer> ports = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			ServerSocket socket = new ServerSocket(0);
			sockets.add(socket);
			ports.add(socket.getLocalPort());
		}
		for (ServerSocket socket : sockets) {
			socket.close();
		}
		return ports;
	}

	@Override
	public void close() {
		this.shop.close();
	}

	private static final class Shared {

		private static final RunningShop INSTANCE = new RunningShop(1);

		static {
			Runtime.getRuntime().addShutdownHook(new Thread(INSTANCE::close));
		}

	}

	record Answer(int status, HttpHeaders headers, JsonNode body) {

		String contentType() {
			return header("Content-Type");
		}

		String header(String name) {
			return this.headers.firstValue(name).orElse("");
		}

		String text(String name) {
			return this.body.path(name).asText();
		}

		JsonNode hop(int index) {
			return this.body.path("hops").path(index);
		}

	}

}
