package io.github.grpcresilience.test;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;

/**
 * An HTTP server, without TLS, that misbehaves as its path asks, and sees when it is
 * left: {@code /silent} never answers, {@code /slow/300} does after 300 ms,
 * {@code /stall} stops within the body, {@code /trickle} sends a line now and then,
 * {@code /empty} has no body, {@code /redirect/<uri>} leads elsewhere; any other path is
 * answered with itself. Safe for concurrent use.
 */
public final class HttpPeer implements AutoCloseable {

	private final ServerSocket server = listen(50);

	/** Where clients are sent; written before the peer is handed out. */
	private ServerSocket full = this.server;

	private final List<Socket> fillers = new ArrayList<>();

	private final Set<Socket> connections = ConcurrentHashMap.newKeySet();

	private final List<List<String>> requests = new CopyOnWriteArrayList<>();

	private final AtomicInteger arrived = new AtomicInteger();

	private final AtomicInteger left = new AtomicInteger();

	private final AtomicInteger accepted = new AtomicInteger();

	private HttpPeer() {
	}

	/**
	 * Starts a server on a free port of loopback.
	 * @return the server, which listens
	 */
	public static HttpPeer start() {
		HttpPeer peer = new HttpPeer();
		daemon(peer::accept);
		return peer;
	}

	/**
	 * A peer to which connecting takes for ever, as behind a firewall.
	 * @return the peer
	 */
	public static HttpPeer unreachable() {
		HttpPeer peer = new HttpPeer();
		try {
			peer.server.close();
			peer.fill();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return peer;
	}

	private void fill() throws IOException {
		this.full = listen(1);
		while (true) {
			Socket socket = new Socket();
			try {
				socket.connect(this.full.getLocalSocketAddress(), 300);
				this.fillers.add(socket);
			}
			catch (IOException ex) {
				socket.close();
				return;
			}
		}
	}

	private static ServerSocket listen(int backlog) {
		try {
			return new ServerSocket(0, backlog, InetAddress.getLoopbackAddress());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static void daemon(Runnable work) {
		Thread thread = new Thread(work, "http-peer");
		thread.setDaemon(true);
		thread.start();
	}

	/**
	 * Where a path is.
	 * @param path begins with a slash
	 * @return its address
	 */
	public URI uri(String path) {
		return uri("127.0.0.1", path);
	}

	/**
	 * Where a path is, by another name of this host.
	 * @param host such as {@code localhost}
	 * @param path begins with a slash
	 * @return its address
	 */
	public URI uri(String host, String path) {
		return URI
			.create("http://" + host + ":" + ((InetSocketAddress) this.full.getLocalSocketAddress()).getPort() + path);
	}

	/**
	 * Requests that were not answered in full.
	 * @return how many there ever were
	 */
	public int arrived() {
		return this.arrived.get();
	}

	/**
	 * Requests that were not answered in full and that the client gave up.
	 * @return how many there ever were
	 */
	public int left() {
		return this.left.get();
	}

	/**
	 * Connections that are open.
	 * @return how many there are now
	 */
	public int open() {
		return this.connections.size();
	}

	/**
	 * Connections there ever were.
	 * @return how many were accepted
	 */
	public int accepted() {
		return this.accepted.get();
	}

	/**
	 * Heads of the requests.
	 * @return the lines of each, in the order of their arrival
	 */
	public List<List<String>> requests() {
		return List.copyOf(this.requests);
	}

	private void accept() {
		while (true) {
			try {
				Socket socket = this.server.accept();
				this.accepted.incrementAndGet();
				this.connections.add(socket);
				daemon(() -> serve(socket));
			}
			catch (IOException ex) {
				return;
			}
		}
	}

	private void serve(Socket socket) {
		try (socket) {
			BufferedReader in = new BufferedReader(
					new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
			for (List<String> head = read(in); head != null; head = read(in)) {
				this.requests.add(head);
				answer(path(head.get(0)), in, socket.getOutputStream());
			}
		}
		catch (IOException ex) {
			// The client left, which has been counted.
		}
		finally {
			this.connections.remove(socket);
		}
	}

	private static @Nullable List<String> read(BufferedReader in) throws IOException {
		List<String> head = new ArrayList<>();
		for (String line = in.readLine(); line != null; line = in.readLine()) {
			if (line.isEmpty()) {
				return head;
			}
			head.add(line);
		}
		return null;
	}

	private static String path(String requestLine) {
		return requestLine.substring(requestLine.indexOf(' ') + 1, requestLine.lastIndexOf(' '));
	}

	private static void pause(long millis) {
		try {
			Thread.sleep(millis);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private void answer(String path, BufferedReader in, OutputStream out) throws IOException {
		if (path.startsWith("/redirect/")) {
			write(out, "HTTP/1.1 302 Found\r\nLocation: " + path.substring("/redirect/".length())
					+ "\r\nContent-Length: 0\r\n\r\n");
			return;
		}
		if (path.equals("/empty")) {
			write(out, "HTTP/1.1 204 No Content\r\n\r\n");
			return;
		}
		if (path.startsWith("/slow/")) {
			pause(Long.parseLong(path.substring("/slow/".length())));
		}
		if (!path.equals("/silent") && !path.equals("/stall") && !path.equals("/trickle")) {
			write(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + path.length() + "\r\n\r\n"
					+ path);
			return;
		}
		if (!path.equals("/silent")) {
			write(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\nabc\n");
		}
		this.arrived.incrementAndGet();
		try {
			if (path.equals("/trickle")) {
				while (true) {
					write(out, "x\n");
					Thread.sleep(5);
				}
			}
			int unused = in.read();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		finally {
			this.left.incrementAndGet();
		}
	}

	private static void write(OutputStream out, String text) throws IOException {
		out.write(text.getBytes(StandardCharsets.ISO_8859_1));
		out.flush();
	}

	@Override
	public void close() {
		try {
			this.server.close();
			this.full.close();
			for (Socket socket : this.fillers) {
				socket.close();
			}
			for (Socket socket : this.connections) {
				socket.close();
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
