package io.github.grpcresilience.benchmarks;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.benchmarks.variant.Echo;

/**
 * How much of its capacity a server still delivers when it is asked for twice as much:
 * four threads that need 20 ms a call, calls of 400 ms over Netty on loopback. Prints a
 * line for each combination of server, number of clients, and what callers do with a
 * failure. Of the calls that users make, one counts if it succeeds, whatever the number
 * of its attempts.
 */
public final class Goodput {

	private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

	private static final int THREADS = 4;

	private static final long WORK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

	private static final int DEADLINE_MILLIS = 400;

	private static final double CAPACITY = THREADS * 1e9 / WORK_NANOS;

	private static final int WARM_UP_SECONDS = 5;

	private static final int MEASURED_SECONDS = 8;

	private final AtomicLong answered = new AtomicLong();

	private final AtomicLong served = new AtomicLong();

	private final Callers callers;

	private final List<ManagedChannel> channels = new ArrayList<>();

	private Goodput(Callers callers) {
		this.callers = callers;
	}

	/** What the server has. */
	private enum Protection {

		NONE, DEADLINES, LIMIT

	}

	/** What callers do when a call fails. */
	private enum Callers {

		/** Nothing. */
		PATIENT,

		/** They call again at once, three times. */
		NAIVE,

		/** They have this library and a retry policy. */
		OURS

	}

	/**
	 * Runs every combination.
	 * @param args none
	 * @throws Exception if a server cannot be started
	 */
	public static void main(String[] args) throws Exception {
		System.out.printf("%-10s %-8s %-8s %s%n", "server", "clients", "callers",
				"goodput / capacity, work / capacity");
		for (Protection protection : Protection.values()) {
			for (int clients : new int[] { 1, 4 }) {
				for (Callers callers : Callers.values()) {
					Goodput run = new Goodput(callers);
					Map<Share, Double> shares = run.measure(protection, clients);
					System.out.printf("%-10s %-8d %-8s %.2f, %.2f%n", protection, clients, callers,
							shares.get(Share.GOOD), shares.get(Share.WORKED));
				}
			}
		}
	}

	private enum Share {

		GOOD, WORKED

	}

	private Map<Share, Double> measure(Protection protection, int clients) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(THREADS);
		NettyServerBuilder builder = NettyServerBuilder.forPort(0)
			.executor(pool)
			.addService(new Echo((request, observer) -> {
				this.served.incrementAndGet();
				LockSupport.parkNanos(WORK_NANOS);
				observer.onNext(request);
				observer.onCompleted();
			}));
		GrpcResilienceBuilder server = GrpcResilience.builder();
		if (protection == Protection.LIMIT) {
			server.server((limits) -> limits.policy("bench",
					(bench) -> bench.methods(Echo.SERVICE).maxConcurrent(2 * THREADS)));
		}
		try (GrpcResilience ofServer = server.build();
				GrpcResilience ofClients = GrpcResilience.builder()
					.client((client) -> client.policy("bench",
							(bench) -> bench.methods(Echo.SERVICE)
								.idempotent()
								.retry((retry) -> retry.maxAttempts(4)
									.retryableStatusCodes(Status.Code.UNAVAILABLE, Status.Code.RESOURCE_EXHAUSTED))))
					.build()) {
			if (protection != Protection.NONE) {
				ofServer.protect(builder);
			}
			Server started = builder.build().start();
			for (int i = 0; i < clients; i++) {
				NettyChannelBuilder channel = NettyChannelBuilder.forAddress("localhost", started.getPort())
					.usePlaintext();
				if (this.callers == Callers.OURS) {
					channel.intercept(ofClients.client("client-" + i));
				}
				this.channels.add(channel.build());
			}
			try {
				load(WARM_UP_SECONDS);
				long answeredBefore = this.answered.get();
				long servedBefore = this.served.get();
				load(MEASURED_SECONDS);
				Map<Share, Double> shares = new EnumMap<>(Share.class);
				shares.put(Share.GOOD, (this.answered.get() - answeredBefore) / (CAPACITY * MEASURED_SECONDS));
				shares.put(Share.WORKED, (this.served.get() - servedBefore) / (CAPACITY * MEASURED_SECONDS));
				return shares;
			}
			finally {
				this.channels.forEach(ManagedChannel::shutdownNow);
				started.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
				pool.shutdownNow();
			}
		}
	}

	private void load(int seconds) {
		long start = System.nanoTime();
		long calls = (long) (2 * CAPACITY * seconds);
		for (long i = 0; i < calls; i++) {
			long due = start + (long) (i * 1e9 / (2 * CAPACITY));
			while (System.nanoTime() < due) {
				LockSupport.parkNanos(due - System.nanoTime());
			}
			call(this.channels.get((int) (i % this.channels.size())), (this.callers == Callers.NAIVE) ? 3 : 0);
		}
	}

	private void call(ManagedChannel channel, int moreAttempts) {
		ClientCall<byte[], byte[]> call = channel.newCall(Echo.UNARY,
				CallOptions.DEFAULT.withDeadlineAfter(DEADLINE_MILLIS, TimeUnit.MILLISECONDS));
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onClose(Status status, Metadata trailers) {
				if (status.isOk()) {
					Goodput.this.answered.incrementAndGet();
				}
				else if (moreAttempts > 0) {
					call(channel, moreAttempts - 1);
				}
			}

		}, new Metadata());
		call.request(2);
		call.sendMessage(HELLO);
		call.halfClose();
	}

}
