package io.github.grpcresilience.frameworks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/**
 * An HTTP server that takes its time: {@code /400} answers after 400 ms, with the number
 * of the request.
 */
final class HttpPeer implements AutoCloseable {

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final AtomicInteger arrived = new AtomicInteger();

	private final HttpServer server;

	private HttpPeer(HttpServer server) {
		this.server = server;
	}

	static HttpPeer start() {
		try {
			HttpPeer peer = new HttpPeer(
					HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
			peer.server.createContext("/", peer::answer);
			peer.server.setExecutor(peer.threads);
			peer.server.start();
			return peer;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private void answer(HttpExchange exchange) throws IOException {
		String number = "answer " + this.arrived.incrementAndGet();
		LockSupport
			.parkNanos(TimeUnit.MILLISECONDS.toNanos(Long.parseLong(exchange.getRequestURI().getPath().substring(1))));
		byte[] body = number.getBytes(StandardCharsets.UTF_8);
		exchange.sendResponseHeaders(200, body.length);
		exchange.getResponseBody().write(body);
		exchange.close();
	}

	String url() {
		return "http://localhost:" + this.server.getAddress().getPort();
	}

	/** Requests that have arrived. */
	int arrived() {
		return this.arrived.get();
	}

	@Override
	public void close() {
		this.server.stop(0);
		this.threads.shutdownNow();
	}

}
