package io.github.grpcresilience;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/**
 * Passes bytes between a client and a server until it resets both connections, as a host
 * that dies does.
 */
public final class Relay implements AutoCloseable {

	private final ServerSocket server;

	private final int target;

	private volatile CountDownLatch held = new CountDownLatch(0);

	private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();

	public Relay(int target) {
		try {
			this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		this.target = target;
		start(this::accept);
	}

	public int port() {
		return this.server.getLocalPort();
	}

	private void accept() {
		try {
			while (true) {
				Socket client = this.server.accept();
				Socket other = new Socket(InetAddress.getLoopbackAddress(), this.target);
				this.sockets.add(client);
				this.sockets.add(other);
				start(() -> passOnceReleased(client, other));
				start(() -> passOnceReleased(other, client));
			}
		}
		catch (IOException ex) {
			// Closed, or the target is gone: then the client is, too.
		}
	}

	/**
	 * Keeps what comes over connections to come, as a network does that is slow to
	 * connect.
	 */
	public void hold() {
		this.held = new CountDownLatch(1);
	}

	public void release() {
		this.held.countDown();
	}

	private void passOnceReleased(Socket from, Socket to) {
		try {
			this.held.await();
			pass(from, to);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void pass(Socket from, Socket to) {
		try {
			InputStream input = from.getInputStream();
			input.transferTo(to.getOutputStream());
		}
		catch (IOException ex) {
			// Reset.
		}
	}

	private static void start(Runnable task) {
		Thread thread = new Thread(task, "relay");
		thread.setDaemon(true);
		thread.start();
	}

	public void reset() {
		for (Socket socket = this.sockets.poll(); socket != null; socket = this.sockets.poll()) {
			try {
				socket.setSoLinger(true, 0);
				socket.close();
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}
	}

	@Override
	public void close() {
		try {
			this.server.close();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		reset();
	}

}
