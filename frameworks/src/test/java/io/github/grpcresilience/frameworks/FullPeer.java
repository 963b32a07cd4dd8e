package io.github.grpcresilience.frameworks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * An HTTP server to which connecting takes for ever, until it accepts.
 */
final class FullPeer implements AutoCloseable {

	private final ServerSocket server;

	/** Take the places of those that wait to be accepted. */
	private final List<Socket> fillers = new ArrayList<>();

	private FullPeer(ServerSocket server) {
		this.server = server;
	}

	static FullPeer start() {
		try {
			FullPeer peer = new FullPeer(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
			peer.fill();
			return peer;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private void fill() throws IOException {
		while (true) {
			Socket socket = new Socket();
			try {
				socket.connect(this.server.getLocalSocketAddress(), 300);
				this.fillers.add(socket);
			}
			catch (IOException ex) {
				socket.close();
				return;
			}
		}
	}

	String url() {
		return "http://127.0.0.1:" + this.server.getLocalPort();
	}

	/**
	 * From now on whoever connects is served.
	 */
	void accept() {
		daemon(() -> {
			while (true) {
				Socket socket = this.server.accept();
				daemon(() -> serve(socket));
			}
		});
	}

	private static void serve(Socket socket) throws IOException {
		try (socket;
				BufferedReader requests = new BufferedReader(
						new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
			for (String line = requests.readLine(); line != null; line = requests.readLine()) {
				if (line.isEmpty()) {
					socket.getOutputStream()
						.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII));
				}
			}
		}
	}

	private static void daemon(Loop loop) {
		Thread thread = new Thread(() -> {
			try {
				loop.run();
			}
			catch (IOException ex) {
				// Closed: nobody is served any more.
			}
		}, "full-peer");
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public void close() throws IOException {
		for (Socket filler : this.fillers) {
			filler.close();
		}
		this.server.close();
	}

	@FunctionalInterface
	private interface Loop {

		void run() throws IOException;

	}

}
