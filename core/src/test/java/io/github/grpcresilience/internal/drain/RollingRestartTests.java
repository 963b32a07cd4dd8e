package io.github.grpcresilience.internal.drain;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

import io.grpc.EquivalentAddressGroup;
import io.grpc.ManagedChannel;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Server;
import io.grpc.StatusOr;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.Shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Two instances of a service behind one channel that makes no second attempts, restarted
 * one after the other under load: no call fails.
 */
class RollingRestartTests {

	private static final int ROUNDS = 5;

	private static final int LEAST_CALLS = 2_000;

	private static final int CALLERS = 8;

	private final Loopback loopback = new Loopback();

	private final ExecutorService callers = Executors.newFixedThreadPool(CALLERS);

	private final TwoAddresses addresses = new TwoAddresses();

	@BeforeEach
	void begin() {
		NameResolverRegistry.getDefaultRegistry().register(this.addresses);
	}

	@AfterEach
	void end() {
		this.callers.shutdownNow();
		this.loopback.close();
		NameResolverRegistry.getDefaultRegistry().deregister(this.addresses);
	}

	@Test
	void noCallFails() throws Exception {
		List<Instance> instances = List.of(new Instance(), new Instance());
		for (Instance instance : instances) {
			instance.start();
		}
		this.addresses.ports = instances.stream().map((instance) -> instance.port).toList();
		ManagedChannel channel = NettyChannelBuilder.forTarget(TwoAddresses.SCHEME + ":///shop")
			.defaultLoadBalancingPolicy("round_robin")
			.disableRetry()
			.usePlaintext()
			.build();
		this.loopback.end(channel);
		AtomicInteger calls = new AtomicInteger();
		Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
		Runnable caller = () -> {
			while (!Thread.currentThread().isInterrupted() && failures.isEmpty()) {
				try {
					Loopback.call(channel, Loopback.within(20_000), "x");
					calls.incrementAndGet();
				}
				catch (RuntimeException ex) {
					if (!this.callers.isShutdown()) {
						failures.add(ex);
					}
				}
			}
		};
		List<? extends Future<?>> running = IntStream.range(0, CALLERS)
			.mapToObj((i) -> this.callers.submit(caller))
			.toList();
		for (int round = 0; round < ROUNDS; round++) {
			for (Instance instance : instances) {
				awaitCalls(instances, channel, failures);
				instance.stop();
				instance.start();
			}
		}
		awaitCalls(instances, channel, failures);
		await().atMost(Duration.ofSeconds(60)).until(() -> calls.get() >= LEAST_CALLS);
		this.callers.shutdownNow();
		assertThat(this.callers.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
		assertThat(running).allMatch(Future::isDone);
		Measured.note("rolling restart: %d calls, %d restarts, %d failed".formatted(calls.get(), 2 * ROUNDS,
				failures.size()));
		assertThat(failures).isEmpty();
		for (Instance instance : instances) {
			instance.stop();
		}
	}

	/**
	 * Whoever restarts an instance waits until the others are in use.
	 */
	private static void awaitCalls(List<Instance> instances, ManagedChannel channel, Queue<Throwable> failures) {
		instances.forEach((instance) -> instance.awaitCalls(channel));
		assertThat(failures).isEmpty();
	}

	/**
	 * One of the instances of the service; all of its lives have one address.
	 */
	private static final class Instance {

		private final AtomicInteger served = new AtomicInteger();

		private int port;

		private GrpcResilience resilience;

		private Server server;

		void start() throws Exception {
			this.served.set(0);
			this.resilience = GrpcResilience.builder().build();
			NettyServerBuilder builder = NettyServerBuilder
				.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), this.port))
				.addService(new Shop().unary((request, observer) -> {
					this.served.incrementAndGet();
					LockSupport.parkNanos(2_000_000);
					Shop.echo(request, observer);
				}));
			this.resilience.protect(builder);
			this.server = builder.build().start();
			this.port = this.server.getPort();
		}

		void stop() {
			this.resilience.drain().shutdown(this.server);
			assertThat(this.server.isTerminated()).isTrue();
			assertThat(this.resilience.inspection().pendingDrains()).isZero();
			this.resilience.close();
		}

		void awaitCalls(ManagedChannel channel) {
			await().atMost(Duration.ofSeconds(60)).until(() -> {
				channel.resetConnectBackoff();
				return this.served.get() > 20;
			});
		}

	}

	private static final class TwoAddresses extends NameResolverProvider {

		private static final String SCHEME = "rolling";

		private volatile List<Integer> ports = List.of();

		@Override
		protected boolean isAvailable() {
			return true;
		}

		@Override
		protected int priority() {
			return 5;
		}

		@Override
		public String getDefaultScheme() {
			return SCHEME;
		}

		@Override
		public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
			return List.of(InetSocketAddress.class);
		}

		@Override
		public NameResolver newNameResolver(URI target, NameResolver.Args args) {
			List<Integer> known = this.ports;
			return new NameResolver() {

				@Override
				public String getServiceAuthority() {
					return "shop";
				}

				@Override
				public void start(Listener2 listener) {
					listener.onResult(ResolutionResult.newBuilder()
						.setAddressesOrError(StatusOr.fromValue(known.stream()
							.map((port) -> new EquivalentAddressGroup(
									new InetSocketAddress(InetAddress.getLoopbackAddress(), port)))
							.toList()))
						.build());
				}

				@Override
				public void shutdown() {
					// It holds nothing.
				}

			};
		}

	}

}
