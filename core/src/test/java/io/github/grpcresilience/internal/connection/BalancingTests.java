package io.github.grpcresilience.internal.connection;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

import io.grpc.BindableService;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GivenNames;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.policy.Mode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * One channel and several servers, over real connections.
 */
class BalancingTests {

	private static final String CLIENT = "shop";

	private final Loopback loopback = new Loopback();

	private final GivenNames names = new GivenNames(InetSocketAddress.class);

	private final List<Replica> replicas = new ArrayList<>();

	private GrpcResilience resilience;

	@AfterEach
	void end() {
		this.loopback.close();
		this.names.close();
	}

	private ManagedChannel channel(Policies policies, String policy) {
		return channel(Mode.ENFORCE, policies, policy);
	}

	private ManagedChannel channel(Mode mode, Policies policies, String policy) {
		this.resilience = this.loopback.resilience(GrpcResilience.builder().mode(mode).policies(policies.define()));
		NettyChannelBuilder builder = NettyChannelBuilder.forTarget(this.names.target())
			.defaultLoadBalancingPolicy(policy)
			.usePlaintext()
			.intercept(this.resilience.client(CLIENT));
		this.resilience.connections().balance(builder, CLIENT, policy);
		ManagedChannel channel = builder.build();
		this.loopback.end(channel);
		give(Map.of());
		return channel;
	}

	private void give(Map<String, ?> serviceConfig) {
		this.names.give(this.replicas.stream().map(Replica::address).toList(), serviceConfig);
	}

	private Replica serve(BiConsumer<String, StreamObserver<String>> handler) {
		Replica replica = new Replica(this.loopback, handler);
		this.replicas.add(replica);
		return replica;
	}

	private Replica serve(BiConsumer<String, StreamObserver<String>> handler, BindableService beside) {
		Replica replica = new Replica(this.loopback, handler, beside);
		this.replicas.add(replica);
		return replica;
	}

	private static void fail(String request, StreamObserver<String> observer) {
		observer.onError(Status.UNAVAILABLE.withDescription("not me").asRuntimeException());
	}

	private static Policies retrying() {
		return Policies.client()
			.policy("reads", Shop.UNARY.getFullMethodName())
			.with(AttemptSettings.IDEMPOTENT, true)
			.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 2)
			.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(1))
			.end()
			.section(AttemptSettings.BUDGET_MIN_PER_SECOND, 1_000.0);
	}

	private List<BackendState> states() {
		return this.resilience.inspection().channels().get(CLIENT).get(0).states();
	}

	private BackendState state(Replica replica) {
		String address = "127.0.0.1:" + replica.address().getPort();
		return states().stream().filter((state) -> state.address().equals(address)).findAny().orElseThrow();
	}

	private void awaitReady(ManagedChannel channel) {
		Calls.run(channel, Shop.UNARY, Loopback.within(20_000).withWaitForReady());
		await()
			.until(() -> states().stream().filter((state) -> state.connectedSeconds() != null).count() == this.replicas
				.size());
	}

	/**
	 * Without it every second one of those that fail is sent to the same server again.
	 */
	@Test
	void furtherAttemptGoesToAnotherBackend() throws Exception {
		serve(Shop::echo);
		serve(BalancingTests::fail);
		ManagedChannel channel = channel(retrying().section(ConnectionSettings.OUTLIER_DETECTION, false),
				"round_robin");
		Replica first = this.replicas.get(0);
		await().until(() -> {
			Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
			return first.served.get() > 0 && this.replicas.get(1).served.get() > 0;
		});
		int callers = 8;
		ExecutorService executor = Executors.newFixedThreadPool(callers);
		try {
			List<Future<Integer>> failed = new ArrayList<>();
			for (int i = 0; i < callers; i++) {
				failed.add(executor.submit(() -> {
					int failures = 0;
					for (int call = 0; call < 100; call++) {
						if (Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code() != Status.Code.OK) {
							failures++;
						}
					}
					return failures;
				}));
			}
			for (Future<Integer> one : failed) {
				assertThat(one.get(60, TimeUnit.SECONDS)).isZero();
			}
		}
		finally {
			executor.shutdownNow();
		}
		assertThat(this.replicas.get(1).served.get()).isGreaterThan(200);
	}

	@Test
	void backendThatFailsGetsNoMoreCallsAndTheOthersShareThem() {
		serve(BalancingTests::fail);
		serve(Shop::echo);
		serve(Shop::echo);
		ManagedChannel channel = channel(Policies.client(), "round_robin");
		awaitReady(channel);
		await().until(() -> {
			Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
			return state(this.replicas.get(0)).ejected();
		});
		this.replicas.forEach((replica) -> replica.served.set(0));
		for (int i = 0; i < 400; i++) {
			assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code()).isEqualTo(Status.Code.OK);
		}
		assertThat(this.replicas).extracting((replica) -> replica.served.get()).first().isEqualTo(0);
		assertThat(this.replicas.get(1).served.get()).isBetween(198, 202);
		assertThat(this.replicas).extracting((replica) -> state(replica).ejected()).containsExactly(true, false, false);
		assertThat(states().stream().mapToLong(BackendState::calls).sum()).isGreaterThan(400);
	}

	@Test
	void ejectedBackendThatReconnectsIsBackAtOnce() throws Exception {
		Replica failing = serve(BalancingTests::fail);
		serve(Shop::echo);
		ManagedChannel channel = channel(Policies.client(), "round_robin");
		awaitReady(channel);
		await().until(() -> {
			Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
			return state(this.replicas.get(0)).ejected();
		});
		failing.stop();
		await().until(() -> state(failing).state() != ConnectivityState.READY);
		failing.start(Shop::echo);
		await().until(() -> state(failing).state() == ConnectivityState.READY);
		for (int i = 0; i < 4; i++) {
			assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code()).isEqualTo(Status.Code.OK);
		}
		assertThat(failing.served.get()).isEqualTo(2);
	}

	/**
	 * The connection lives, and its process is stopped.
	 */
	@Test
	void backendThatSaysNothingIsLeftAloneAndTriedAgain() throws Exception {
		CountDownLatch stopped = new CountDownLatch(1);
		serve(Shop::echo);
		Replica paused = serve((request, observer) -> {
			try {
				stopped.await();
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
			Shop.echo(request, observer);
		});
		ManagedChannel channel = channel(Policies.client(), "round_robin");
		List<Future<Calls.Ended>> calls = new ArrayList<>();
		calls.add(Calls.start(channel, Shop.UNARY, Loopback.within(60_000).withWaitForReady()));
		await().until(() -> states().size() == 2 && state(paused).connectedSeconds() != null);
		await().atMost(Duration.ofSeconds(20)).until(() -> {
			calls.add(Calls.start(channel, Shop.UNARY, Loopback.within(60_000)));
			return state(paused).silent();
		});
		int before = paused.served.get();
		for (int i = 0; i < 50; i++) {
			assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(60_000)).code()).isEqualTo(Status.Code.OK);
		}
		assertThat(paused.served.get()).isLessThanOrEqualTo(before + 1);
		stopped.countDown();
		for (Future<Calls.Ended> call : calls) {
			assertThat(call.get(20, TimeUnit.SECONDS).code()).isEqualTo(Status.Code.OK);
		}
		await().until(() -> {
			Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
			return !state(paused).silent();
		});
	}

	@Test
	void onlyBackendIsCountedAndNeverLeftAlone() {
		serve(BalancingTests::fail);
		ManagedChannel channel = channel(Policies.client(), "round_robin");
		for (int i = 0; i < 20; i++) {
			assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code())
				.isEqualTo(Status.Code.UNAVAILABLE);
		}
		assertThat(states()).singleElement().satisfies((state) -> {
			assertThat(state.calls()).isEqualTo(20);
			assertThat(state.ejected()).isFalse();
		});
	}

	@Test
	void pickFirstStaysWhatItIs() {
		serve(Shop::echo);
		serve(Shop::echo);
		ManagedChannel channel = channel(retrying(), "pick_first");
		for (int i = 0; i < 20; i++) {
			assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code()).isEqualTo(Status.Code.OK);
		}
		assertThat(this.replicas).extracting((replica) -> replica.served.get()).containsExactlyInAnyOrder(20, 0);
	}

	@ParameterizedTest
	@CsvSource({ "round_robin, USED", "pick_first, USED" })
	void itIsKnownWhatBecameOfThePolicy(String policy, Balancing.Use use) {
		serve(Shop::echo);
		ManagedChannel channel = channel(Policies.client(), policy);
		Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(this.resilience.inspection().channels().get(CLIENT)).singleElement().satisfies((balancing) -> {
			assertThat(balancing.policy()).isEqualTo(policy);
			assertThat(balancing.use()).isEqualTo(use);
		});
	}

	@Test
	void serviceConfigOfAResolverWins() {
		serve(Shop::echo);
		ManagedChannel channel = channel(Policies.client(), "round_robin");
		give(Map.of("loadBalancingConfig", List.of(Map.of("pick_first", Map.of()))));
		Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(this.resilience.inspection().channels().get(CLIENT)).singleElement()
			.satisfies((balancing) -> assertThat(balancing.use()).isEqualTo(Balancing.Use.REPLACED));
	}

	@Test
	void nameThatLeadsNowhereIsFound() {
		serve(Shop::echo);
		ManagedChannel channel = channel(Policies.client(), "round_robin");
		Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(findings()).doesNotContain("NAME_UNRESOLVED");
		this.names.fail(Status.UNAVAILABLE.withDescription("no such host"));
		await().until(() -> findings().contains("NAME_UNRESOLVED"));
		give(Map.of());
		await().until(() -> !findings().contains("NAME_UNRESOLVED"));
	}

	@Test
	void nameIsLookedUpAgainWhenAllOfItsServersAreGone() throws Exception {
		Replica first = serve(Shop::echo);
		Replica second = serve(Shop::echo);
		ManagedChannel channel = channel(Policies.client(), "round_robin");
		awaitReady(channel);
		Replica moved = new Replica(this.loopback, Shop::echo);
		this.names.prepare(List.of(moved.address()));
		first.stop();
		second.stop();
		await().until(() -> Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code() == Status.Code.OK);
		assertThat(moved.served.get()).isPositive();
	}

	/** gRPC's own, which the application asks for. */
	@Test
	void serverThatSaysItIsNotWellGetsNoCalls() {
		HealthStatusManager health = new HealthStatusManager();
		Replica ill = serve(Shop::echo, health.getHealthService());
		serve(Shop::echo, new HealthStatusManager().getHealthService());
		ManagedChannel channel = channel(Policies.client(), "round_robin");
		give(Map.of("healthCheckConfig", Map.of("serviceName", "")));
		await().until(() -> {
			Calls.run(channel, Shop.UNARY, Loopback.within(20_000).withWaitForReady());
			return ill.served.get() > 0;
		});
		health.setStatus("", ServingStatus.NOT_SERVING);
		await().until(() -> {
			int before = ill.served.get();
			for (int i = 0; i < 10; i++) {
				assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code()).isEqualTo(Status.Code.OK);
			}
			return ill.served.get() == before;
		});
	}

	private List<String> findings() {
		return this.resilience.inspection().findings().stream().map(Finding::id).toList();
	}

	@Test
	void observingLeavesThePolicyAlone() {
		serve(Shop::echo);
		ManagedChannel channel = channel(Mode.OBSERVE, Policies.client(), "round_robin");
		assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(20_000)).code()).isEqualTo(Status.Code.OK);
		assertThat(this.resilience.inspection().channels().get(CLIENT)).isEmpty();
	}

	@Test
	void policyThatThereIsNotIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> channel(Policies.client(), "no_such_policy"))
			.withMessageContaining("\"no_such_policy\"")
			.withMessageContaining("round_robin");
	}

	/** One of the servers; all of its lives have one address. */
	private static final class Replica {

		private final Loopback loopback;

		private final AtomicInteger served = new AtomicInteger();

		private final int port;

		private Server server;

		Replica(Loopback loopback, BiConsumer<String, StreamObserver<String>> handler, BindableService... beside) {
			this.loopback = loopback;
			this.server = loopback.servePlain(counting(handler),
					(builder) -> Stream.of(beside).forEach(builder::addService));
			this.port = this.server.getPort();
		}

		void stop() throws InterruptedException {
			this.server.shutdownNow();
			assertThat(this.server.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
		}

		InetSocketAddress address() {
			return new InetSocketAddress(InetAddress.getLoopbackAddress(), this.port);
		}

		private Shop counting(BiConsumer<String, StreamObserver<String>> handler) {
			return new Shop().unary((request, observer) -> {
				this.served.incrementAndGet();
				handler.accept(request, observer);
			});
		}

		void start(BiConsumer<String, StreamObserver<String>> handler) throws IOException {
			this.served.set(0);
			this.server = NettyServerBuilder.forPort(this.port).addService(counting(handler)).build().start();
			this.loopback.end(this.server);
		}

	}

}
