package io.github.grpcresilience.test;

import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;

import io.grpc.MethodDescriptor;
import io.grpc.netty.shaded.io.netty.bootstrap.ServerBootstrap;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandler;
import io.grpc.netty.shaded.io.netty.channel.ChannelInitializer;
import io.grpc.netty.shaded.io.netty.channel.EventLoop;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.SocketChannel;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerSocketChannel;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.grpc.netty.shaded.io.netty.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * A gRPC server that fails as a test asks, over real sockets, without TLS. It serves
 * every method: what no {@link #answer} was given for is answered with its own request.
 * <p>
 * What becomes of single calls is said by {@link Fault}: of the {@link #next} ones, of
 * {@link #every} one, or of each by a {@link #decide decision}. What becomes of
 * connections is done at once, by methods of this class, and holds when they return.
 * {@link #heal} ends all of it. What arrived is counted, and can be read at any time.
 * <p>
 * Safe for concurrent use. The server has one thread, which runs answers and decisions,
 * too: they must not block, and must not call methods of this class that change it.
 */
public final class FaultyServer implements AutoCloseable {

	private static final int KEPT = 10_000;

	private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1,
			new DefaultThreadFactory("faulty-server", true), NioIoHandler.newFactory());

	private volatile InetSocketAddress address;

	private final EventLoop loop = this.group.next();

	private final Map<String, Answer> answers = new ConcurrentHashMap<>();

	private final Set<Connection> connections = ConcurrentHashMap.newKeySet();

	private final AtomicInteger accepted = new AtomicInteger();

	private final AtomicLong calls = new AtomicLong();

	private final AtomicLong open = new AtomicLong();

	private final AtomicLong cancelled = new AtomicLong();

	/** Guarded by itself. */
	private final ArrayDeque<Received> received = new ArrayDeque<>();

	/** Guarded by this; null while connections are refused. */
	private @Nullable Channel listening;

	// The thread of the server owns what follows.

	private final Queue<Fault> next = new ArrayDeque<>();

	private Function<Received, Fault> decision = (call) -> Fault.none();

	private boolean black;

	private boolean babbling;

	private FaultyServer(InetSocketAddress address) {
		this.address = address;
	}

	/**
	 * Starts a server on a free port of 127.0.0.1.
	 * @return the server, which listens
	 */
	public static FaultyServer start() {
		return start("127.0.0.1", 0);
	}

	/**
	 * Starts a server on an address of one's own, such as 127.0.0.2 beside another server
	 * on the same port.
	 * @param host address to listen on
	 * @param port 0 for a free one
	 * @return the server, which listens
	 */
	public static FaultyServer start(String host, int port) {
		FaultyServer server = new FaultyServer(new InetSocketAddress(host, port));
		try {
			server.listen();
		}
		catch (RuntimeException ex) {
			server.close();
			throw ex;
		}
		return server;
	}

	/**
	 * Where the server listens, or did.
	 * @return address and port
	 */
	public InetSocketAddress address() {
		return this.address;
	}

	/**
	 * Port on which the server listens.
	 * @return the port
	 */
	public int port() {
		return this.address.getPort();
	}

	/**
	 * Answers each request of a method with one message; of several requests of a client
	 * stream the last one.
	 * @param <Q> request
	 * @param <A> answer
	 * @param method the method, as generated code has it
	 * @param answer runs on the server's thread; what it throws is the status of the call
	 * @return this server
	 */
	public <Q, A> FaultyServer answer(MethodDescriptor<Q, A> method, Function<Q, A> answer) {
		return answers(method, (request) -> List.of(answer.apply(request)));
	}

	/**
	 * Answers each request of a method with any number of messages.
	 * @param <Q> request
	 * @param <A> answer
	 * @param method the method, as generated code has it
	 * @param answers runs on the server's thread; what it throws is the status of the
	 * call
	 * @return this server
	 */
	public <Q, A> FaultyServer answers(MethodDescriptor<Q, A> method, Function<Q, List<A>> answers) {
		this.answers.put(method.getFullMethodName(), Answer.of(method, answers));
		return this;
	}

	/**
	 * Says what becomes of the next calls, one fault each, before everything else that
	 * was said.
	 * @param faults in the order of the calls
	 * @return this server
	 */
	public FaultyServer next(Fault... faults) {
		List<Fault> copy = List.of(faults);
		return run(() -> this.next.addAll(copy));
	}

	/**
	 * Says what becomes of a number of calls from now on.
	 * @param count how many calls meet the fault
	 * @param fault what they meet
	 * @return this server
	 */
	public FaultyServer next(int count, Fault fault) {
		return next(Collections.nCopies(count, fault).toArray(new Fault[0]));
	}

	/**
	 * Says what becomes of every call from now on.
	 * @param fault what they meet
	 * @return this server
	 */
	public FaultyServer every(Fault fault) {
		return decide((call) -> fault);
	}

	/**
	 * Decides for each call what becomes of it.
	 * @param decision runs on the server's thread when the call arrives; what it throws
	 * is the status of the call
	 * @return this server
	 */
	public FaultyServer decide(Function<Received, Fault> decision) {
		return run(() -> this.decision = decision);
	}

	/**
	 * Takes no connections any more: who connects is refused. Those that are open stay.
	 * @return this server
	 */
	public synchronized FaultyServer refuse() {
		stopListening();
		return this;
	}

	/**
	 * Accepts connections and reads nothing, and neither reads nor writes on those that
	 * are open, as a host that stands still.
	 * @return this server
	 */
	public FaultyServer blackhole() {
		return run(() -> {
			this.black = true;
			this.connections.forEach((each) -> each.stall(Direction.BOTH));
		});
	}

	/**
	 * Answers new connections with bytes that are not HTTP/2. Those that are open stay.
	 * @return this server
	 */
	public FaultyServer babble() {
		return run(() -> this.babbling = true);
	}

	/**
	 * Lets nothing through on the connections that are open now; new ones are served.
	 * What is kept back is passed on when the server is healed.
	 * @param direction which way nothing gets through
	 * @return this server
	 */
	public FaultyServer stall(Direction direction) {
		return run(() -> this.connections.forEach((each) -> each.stall(direction)));
	}

	/**
	 * Resets all connections, as a host that dies. New ones are served.
	 * @return this server
	 */
	public FaultyServer disconnect() {
		run(() -> List.copyOf(this.connections).forEach(Connection::disconnect));
		awaitSelection();
		return this;
	}

	/**
	 * Asks the clients of all connections to go away, with GOAWAY. Calls in flight go on,
	 * and after the last one the connection is closed. New ones are served.
	 * @return this server
	 */
	public FaultyServer goAway() {
		return run(() -> List.copyOf(this.connections).forEach(Connection::goAway));
	}

	/**
	 * Ends all faults, of calls to come and of connections. What was kept back gets
	 * through. Calls that met a fault stay as they are.
	 * @return this server
	 */
	public synchronized FaultyServer heal() {
		run(() -> {
			this.next.clear();
			this.decision = (call) -> Fault.none();
			this.black = false;
			this.babbling = false;
			this.connections.forEach(Connection::resume);
		});
		if (this.listening == null) {
			listen();
		}
		return this;
	}

	/**
	 * The last 10,000 calls that arrived.
	 * @return a copy, the oldest call first
	 */
	public List<Received> received() {
		synchronized (this.received) {
			return new ArrayList<>(this.received);
		}
	}

	/**
	 * Calls that have arrived, attempts counted one by one.
	 * @return how many there ever were
	 */
	public long calls() {
		return this.calls.get();
	}

	/**
	 * Calls that have arrived and whose stream has not ended.
	 * @return how many there are now
	 */
	public long openCalls() {
		return this.open.get();
	}

	/**
	 * Calls that their client has reset, which is how it cancels.
	 * @return how many there ever were
	 */
	public long cancelled() {
		return this.cancelled.get();
	}

	/**
	 * Clients' ends of the connections that are open. One that cannot be read is open as
	 * long as nobody notices.
	 * @return a copy, in no order
	 */
	public List<InetSocketAddress> peers() {
		return this.connections.stream().map(Connection::peer).toList();
	}

	/**
	 * Connections that were accepted.
	 * @return how many there ever were
	 */
	public int accepted() {
		return this.accepted.get();
	}

	Answer answerOf(String method) {
		return this.answers.getOrDefault(method, Answer.ECHO);
	}

	Fault noteArrived(Received call) {
		this.calls.incrementAndGet();
		this.open.incrementAndGet();
		synchronized (this.received) {
			if (this.received.size() == KEPT) {
				this.received.removeFirst();
			}
			this.received.addLast(call);
		}
		Fault first = this.next.poll();
		return (first != null) ? first : this.decision.apply(call);
	}

	void noteEnded() {
		this.open.decrementAndGet();
	}

	void noteCancelled() {
		this.cancelled.incrementAndGet();
	}

	void noteClosed(Connection connection) {
		this.connections.remove(connection);
	}

	private void listen() {
		Channel channel = new ServerBootstrap().group(this.group)
			.channel(NioServerSocketChannel.class)
			.childHandler(initializer(this::accept))
			.bind(this.address)
			.syncUninterruptibly()
			.channel();
		this.address = (InetSocketAddress) channel.localAddress();
		this.listening = channel;
	}

	private void accept(SocketChannel channel) {
		Connection connection = new Connection(this, channel, this.accepted.incrementAndGet());
		this.connections.add(connection);
		channel.pipeline().addLast(connection);
		if (this.black) {
			connection.stall(Direction.BOTH);
		}
		if (this.babbling) {
			channel.pipeline().addLast(new Babbling(connection));
			return;
		}
		channel.pipeline()
			.addLast(Http2FrameCodecBuilder.forServer().gracefulShutdownTimeoutMillis(-1).build(),
					new Http2MultiplexHandler(
							initializer((stream) -> stream.pipeline().addLast(new FaultyCall(this, connection)))));
	}

	private static <C extends Channel> ChannelHandler initializer(Consumer<C> accept) {
		return new ChannelInitializer<C>() {

			@Override
			protected void initChannel(C channel) {
				accept.accept(channel);
			}

		};
	}

	private void stopListening() {
		if (this.listening != null) {
			await(this.listening.close());
			awaitSelection();
			this.listening = null;
		}
	}

	private static void await(Future<?> done) {
		Future<?> unused = done.syncUninterruptibly();
	}

	/**
	 * A socket that is closed is there until the selector has looked again, which it has
	 * before the thread takes what it scheduled for itself.
	 */
	private void awaitSelection() {
		CompletableFuture<Void> looked = new CompletableFuture<>();
		run(() -> {
			Future<?> unused = this.loop.schedule(() -> looked.complete(null), 0, TimeUnit.NANOSECONDS);
		});
		looked.join();
	}

	private FaultyServer run(Runnable task) {
		await(this.loop.submit(task));
		return this;
	}

	/**
	 * Resets all connections and stops. Does nothing to a server that is closed.
	 */
	@Override
	public synchronized void close() {
		if (this.group.isShuttingDown()) {
			return;
		}
		stopListening();
		disconnect();
		await(this.group.shutdownGracefully(0, 10, TimeUnit.SECONDS));
	}

}
