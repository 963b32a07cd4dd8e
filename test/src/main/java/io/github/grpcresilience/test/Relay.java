package io.github.grpcresilience.test;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * A network between clients and a server on this host, which passes bytes on, late or not
 * at all, until it resets the connections. What it carries does not matter. Safe for
 * concurrent use.
 */
public final class Relay implements AutoCloseable {

	private static final int NONE = -1;

	private static final int PORTIONS = 16;

	private final ServerSocket server;

	private final int target;

	private final long delayNanos;

	private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();

	/** Guarded by this. */
	private final Set<Direction> stalled = EnumSet.noneOf(Direction.class);

	/** Guarded by this. */
	private boolean holding;

	/**
	 * A relay that listens on a free port of loopback.
	 * @param target port of the server, on loopback
	 */
	public Relay(int target) {
		this(target, Duration.ZERO);
	}

	/**
	 * A relay that listens on a free port of loopback and is slow.
	 * @param target port of the server, on loopback
	 * @param delay after which what came is passed on, each way
	 */
	public Relay(int target, Duration delay) {
		try {
			this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		this.target = target;
		this.delayNanos = delay.toNanos();
		start(this::accept);
	}

	/**
	 * Where clients connect.
	 * @return the port
	 */
	public int port() {
		return this.server.getLocalPort();
	}

	private void accept() throws IOException {
		while (true) {
			Socket client = this.server.accept();
			this.sockets.add(client);
			try {
				Socket onward = new Socket(InetAddress.getLoopbackAddress(), this.target);
				this.sockets.add(onward);
				boolean held = isHolding();
				pass(client, onward, Direction.TO_SERVER, held);
				pass(onward, client, Direction.TO_CLIENT, held);
			}
			catch (IOException ex) {
				client.close();
			}
		}
	}

	/**
	 * Keeps what comes over connections to come, as a network does that is slow to
	 * connect.
	 */
	public synchronized void hold() {
		this.holding = true;
	}

	/**
	 * Passes on what was kept by {@link #hold}.
	 */
	public synchronized void release() {
		this.holding = false;
		notifyAll();
	}

	private synchronized boolean isHolding() {
		return this.holding;
	}

	/**
	 * Passes nothing on, on any connection. What comes is kept.
	 * @param direction which way nothing gets through
	 */
	public synchronized void stall(Direction direction) {
		this.stalled.add(direction);
	}

	/**
	 * Passes on what was kept by {@link #stall}, and what comes.
	 */
	public synchronized void resume() {
		this.stalled.clear();
		notifyAll();
	}

	private synchronized void awaitPassage(Direction direction, boolean held) throws InterruptedException {
		while ((held && this.holding) || this.stalled.contains(direction) || this.stalled.contains(Direction.BOTH)) {
			wait();
		}
	}

	private void pass(Socket from, Socket to, Direction direction, boolean held) throws IOException {
		to.setTcpNoDelay(true);
		BlockingQueue<Portion> onItsWay = new ArrayBlockingQueue<>(PORTIONS);
		start(() -> {
			InputStream input = from.getInputStream();
			byte[] buffer = new byte[64 * 1024];
			for (int read = input.read(buffer); read != NONE; read = input.read(buffer)) {
				onItsWay.put(
						new Portion(ByteBuffer.wrap(Arrays.copyOf(buffer, read)), System.nanoTime() + this.delayNanos));
			}
			onItsWay.put(new Portion(ByteBuffer.allocate(0), System.nanoTime() + this.delayNanos));
		});
		start(() -> {
			OutputStream output = to.getOutputStream();
			for (Portion next = onItsWay.take(); next.bytes().hasRemaining(); next = onItsWay.take()) {
				TimeUnit.NANOSECONDS.sleep(next.dueNanos() - System.nanoTime());
				awaitPassage(direction, held);
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
		}, "relay");
		thread.setDaemon(true);
		thread.start();
	}

	/**
	 * Resets all connections, as a host that dies. New ones are passed on.
	 */
	public void reset() {
		for (Socket socket = this.sockets.poll(); socket != null; socket = this.sockets.poll()) {
			try {
				socket.setSoLinger(true, 0);
				socket.close();
			}
			catch (IOException ex) {
				// It has gone by itself.
			}
		}
	}

	/**
	 * Resets all connections and takes no more.
	 */
	@Override
	public void close() {
		try {
			this.server.close();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		resume();
		reset();
	}

	private record Portion(ByteBuffer bytes, long dueNanos) {

	}

	@FunctionalInterface
	private interface Passing {

		void run() throws IOException, InterruptedException;

	}

}
