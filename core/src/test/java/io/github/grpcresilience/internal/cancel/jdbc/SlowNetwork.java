package io.github.grpcresilience.internal.cancel.jdbc;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Passes bytes to a port of this host and back, each a while after it came.
 */
final class SlowNetwork implements AutoCloseable {

	private static final int NONE = -1;

	private final ServerSocket server;

	private final int target;

	private final long delayNanos;

	private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();

	SlowNetwork(int target, long delay, TimeUnit unit) {
		try {
			this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		this.target = target;
		this.delayNanos = unit.toNanos(delay);
		start(this::accept);
	}

	int port() {
		return this.server.getLocalPort();
	}

	private void accept() throws IOException {
		while (true) {
			Socket client = this.server.accept();
			Socket other = new Socket(InetAddress.getLoopbackAddress(), this.target);
			this.sockets.add(client);
			this.sockets.add(other);
			pass(client, other);
			pass(other, client);
		}
	}

	private void pass(Socket from, Socket to) throws IOException {
		to.setTcpNoDelay(true);
		BlockingQueue<Portion> onItsWay = new LinkedBlockingQueue<>();
		start(() -> {
			InputStream input = from.getInputStream();
			byte[] buffer = new byte[64 * 1024];
			for (int read = input.read(buffer); read != NONE; read = input.read(buffer)) {
				onItsWay.add(
						new Portion(ByteBuffer.wrap(Arrays.copyOf(buffer, read)), System.nanoTime() + this.delayNanos));
			}
			onItsWay.add(new Portion(ByteBuffer.allocate(0), System.nanoTime() + this.delayNanos));
		});
		start(() -> {
			OutputStream output = to.getOutputStream();
			for (Portion next = onItsWay.take(); next.bytes().hasRemaining(); next = onItsWay.take()) {
				TimeUnit.NANOSECONDS.sleep(next.dueNanos() - System.nanoTime());
				output.write(next.bytes().array());
			}
			to.shutdownOutput();
		});
	}

	private static void start(Passing passing) {
		Thread thread = new Thread(() -> {
			try {
				passing.run();
			}
			catch (IOException | InterruptedException ex) {
				// One side is gone.
			}
		}, "slow-network");
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public void close() {
		try {
			this.server.close();
			for (Socket socket : this.sockets) {
				socket.close();
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private record Portion(ByteBuffer bytes, long dueNanos) {
	}

	@FunctionalInterface
	private interface Passing {

		void run() throws IOException, InterruptedException;

	}

}
