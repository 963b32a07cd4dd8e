package io.github.grpcresilience.internal.drain;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.policy.PolicyFault;
import io.github.grpcresilience.policy.ServerPolicies;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.test.Direction;
import io.github.grpcresilience.test.Relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What callers see of a server that goes away, over real connections.
 */
class DrainTests {

	private static final Duration LONG = Duration.ofMinutes(5);

	private final Loopback loopback = new Loopback();

	private final CountDownLatch entered = new CountDownLatch(1);

	private final CountDownLatch release = new CountDownLatch(1);

	private final AtomicReference<@Nullable Context> context = new AtomicReference<>();

	private final Queue<StreamObserver<String>> streams = new ConcurrentLinkedQueue<>();

	@AfterEach
	void end() {
		this.release.countDown();
		this.loopback.close();
	}

	private GrpcResilience resilience(Duration pause, Duration limit) {
		return resilience((server) -> server.drain(pause, limit).maxDeadline(Duration.ofHours(1)));
	}

	private GrpcResilience resilience(Consumer<ServerPolicies> server) {
		return this.loopback.resilience(GrpcResilience.builder().service("shop").server(server));
	}

	private Server serve(GrpcResilience resilience) {
		return serve(resilience, (request, observer) -> {
			this.context.set(Context.current());
			this.entered.countDown();
			waitFor(this.release);
			Shop.echo(request, observer);
		});
	}

	private Server serve(GrpcResilience resilience, BiConsumer<String, StreamObserver<String>> unary) {
		return this.loopback.serve(resilience, new Shop().unary(unary).serverStream((request, observer) -> {
			observer.onNext("first");
			this.streams.add(observer);
		}));
	}

	private static void waitFor(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException("interrupted", ex);
		}
	}

	private static CompletableFuture<Void> shutdown(GrpcResilience resilience, Server... servers) {
		CompletableFuture<Void> done = new CompletableFuture<>();
		new Thread(() -> {
			resilience.drain().shutdown(servers);
			done.complete(null);
		}).start();
		return done;
	}

	private static <T> T join(CompletableFuture<T> future) {
		return future.orTimeout(50, TimeUnit.SECONDS).join();
	}

	private static void isDraining(Calls.Ended ended) {
		assertThat(ended.code()).as("%s", ended).isEqualTo(Status.Code.UNAVAILABLE);
		GrpcErrors errors = GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
		ErrorInfo info = errors.find(ErrorInfo.class).orElseThrow();
		assertThat(info.getReason()).isEqualTo("DRAINING");
		assertThat(info.getDomain()).isEqualTo("grpc-resilience");
		assertThat(info.getMetadataMap()).containsEntry("service", "shop").containsEntry("side", "server");
		assertThat(errors.retryDelay())
			.hasValueSatisfying((delay) -> assertThat(delay).isBetween(Duration.ofMillis(100), Duration.ofMillis(200)));
	}

	private static long refused(GrpcResilience resilience) {
		return resilience.inspection()
			.servedMethods()
			.stream()
			.mapToLong((method) -> method.counts().byReason().getOrDefault(Reason.DRAINING, 0L))
			.sum();
	}

	private static void nothingIsLeft(GrpcResilience resilience) {
		await().untilAsserted(() -> {
			assertThat(resilience.inspection().pendingTimeouts()).isZero();
			assertThat(resilience.inspection().pendingDrains()).isZero();
			assertThat(resilience.inspection().servedMethods()).extracting(ServedMethod::counts)
				.allSatisfy((counts) -> assertThat(counts.inFlight()).isZero());
		});
	}

	@Test
	void callInFlightIsAnswered() {
		GrpcResilience resilience = resilience(Duration.ZERO, LONG);
		Server server = serve(resilience);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
		waitFor(this.entered);
		CompletableFuture<Void> down = shutdown(resilience, server);
		await().until(server::isShutdown);
		assertThat(down).isNotDone();
		this.release.countDown();
		assertThat(join(call).status().isOk()).isTrue();
		join(down);
		assertThat(server.isTerminated()).isTrue();
		nothingIsLeft(resilience);
	}

	@Test
	void atTheLimitHandlerAndStreamsEndAsUnavailable() {
		GrpcResilience resilience = resilience(Duration.ZERO, Duration.ofMillis(300));
		Server server = serve(resilience);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
		CompletableFuture<Calls.Ended> stream = Calls.start(channel, Shop.SERVER_STREAM, CallOptions.DEFAULT);
		CompletableFuture<Calls.Ended> limited = Calls.start(channel, Shop.SERVER_STREAM, Loopback.within(60_000));
		waitFor(this.entered);
		await().until(() -> this.streams.size() == 2);
		resilience.drain().shutdown(server);
		assertThat(server.isTerminated()).isTrue();
		isDraining(join(call));
		isDraining(join(stream));
		isDraining(join(limited));
		assertThat(join(stream).messages()).containsExactly("first");
		assertThat(refused(resilience)).isEqualTo(3);
		await().until(() -> this.context.get().isCancelled());
		assertThat(this.context.get().cancellationCause()).hasMessageContaining("the server is shutting down");
		this.release.countDown(); // and what the handler then writes is dropped
		assertThat(this.streams)
			.allSatisfy((observer) -> await().until(((ServerCallStreamObserver<String>) observer)::isCancelled));
		nothingIsLeft(resilience);
	}

	@Test
	void limitOfZeroDoesNotWait() {
		GrpcResilience resilience = resilience(Duration.ZERO, Duration.ZERO);
		Server server = serve(resilience);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
		waitFor(this.entered);
		resilience.drain().shutdown(server);
		isDraining(join(call));
		assertThat(server.isTerminated()).isTrue();
	}

	@Test
	void frameworkThatCutsAtOnceIsForestalled() {
		GrpcResilience resilience = resilience(Duration.ZERO, LONG);
		Server server = serve(resilience);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
		waitFor(this.entered);
		resilience.drain().begin(server, Duration.ZERO);
		server.shutdownNow();
		isDraining(join(call));
		resilience.drain().end(server);
		nothingIsLeft(resilience);
	}

	@Test
	void limitLeavesTimeToAnswerBeforeAFrameworkCuts() {
		GrpcResilience resilience = resilience(Duration.ZERO, Duration.ofSeconds(20));
		assertThat(resilience.drain().limit(null)).isEqualTo(Duration.ofSeconds(20));
		assertThat(resilience.drain().limit(Duration.ofSeconds(-1))).isEqualTo(Duration.ofSeconds(20));
		assertThat(resilience.drain().limit(Duration.ofSeconds(21))).isEqualTo(Duration.ofSeconds(20));
		assertThat(resilience.drain().limit(Duration.ofSeconds(7))).isEqualTo(Duration.ofSeconds(6));
		assertThat(resilience.drain().limit(Duration.ofMillis(700))).isEqualTo(Duration.ofMillis(350));
		assertThat(resilience.drain().limit(Duration.ZERO)).isZero();
	}

	@Test
	void everythingIsServedInThePause() {
		GrpcResilience resilience = resilience(Duration.ofMinutes(10), LONG);
		Server server = serve(resilience, Shop::echo);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		Thread closing = new Thread(() -> resilience.drain().shutdown(server));
		closing.start();
		await().until(() -> closing.getState() == Thread.State.TIMED_WAITING);
		ManagedChannel fresh = this.loopback.plainChannel(server);
		for (Channel each : new Channel[] { channel, fresh }) {
			assertThat(Loopback.call(each, Loopback.within(20_000), "x")).isEqualTo("x");
		}
		assertThat(server.isShutdown()).isFalse();
		closing.interrupt(); // whoever cannot wait
		await().until(server::isTerminated);
	}

	@Test
	void lateCallsAreRefusedAndThoseBeforeServed() {
		GrpcResilience resilience = resilience(Duration.ZERO, LONG);
		Server server = serve(resilience, Shop::echo);
		try (Relay relay = new Relay(server.getPort())) {
			ManagedChannel channel = Calls.warm(this.loopback.plainChannel(relay.port()));
			relay.stall(Direction.TO_CLIENT); // the client does not hear of GOAWAY
			CompletableFuture<Void> down = shutdown(resilience, server);
			await().until(server::isShutdown);
			Queue<CompletableFuture<Calls.Ended>> calls = new ConcurrentLinkedQueue<>();
			await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).until(() -> {
				calls.add(Calls.start(channel, Shop.UNARY, Loopback.within(60_000)));
				return refused(resilience) > 2;
			});
			relay.resume();
			assertThat(join(calls.peek()).status().isOk()).as("%s", join(calls.peek())).isTrue();
			assertThat(calls.stream().map(DrainTests::join).filter((ended) -> !ended.status().isOk()))
				.hasSizeGreaterThan(2)
				.allSatisfy(DrainTests::isDraining);
			join(down);
		}
		nothingIsLeft(resilience);
	}

	@Test
	void whoWatchesHealthIsToldAndDoesNotHoldTheServer() throws IOException {
		GrpcResilience resilience = resilience(Duration.ZERO, LONG);
		HealthStatusManager health = new HealthStatusManager();
		NettyServerBuilder builder = NettyServerBuilder.forPort(0).addService(health.getHealthService());
		resilience.protect(builder);
		Server server = builder.build().start();
		ManagedChannel channel = this.loopback.plainChannel(server);
		Queue<ServingStatus> seen = new ConcurrentLinkedQueue<>();
		CompletableFuture<Throwable> ended = new CompletableFuture<>();
		HealthGrpc.newStub(channel).watch(HealthCheckRequest.getDefaultInstance(), new StreamObserver<>() {

			@Override
			public void onNext(HealthCheckResponse value) {
				seen.add(value.getStatus());
			}

			@Override
			public void onError(Throwable thrown) {
				ended.complete(thrown);
			}

			@Override
			public void onCompleted() {
				ended.complete(new IllegalStateException("completed"));
			}

		});
		await().until(() -> seen.size() == 1);
		health.enterTerminalState();
		resilience.drain().shutdown(server);
		assertThat(server.isTerminated()).isTrue();
		Throwable thrown = join(ended);
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(GrpcErrors.from(thrown).reason()).hasValue("DRAINING");
		assertThat(seen).containsExactly(ServingStatus.SERVING, ServingStatus.NOT_SERVING);
		nothingIsLeft(resilience);
	}

	@Test
	void streamOfAnExemptServiceHoldsTheServerNoLongerThanTheLimit() {
		GrpcResilience resilience = resilience(
				(server) -> server.drain(Duration.ZERO, Duration.ofMillis(70)).exemptServices("test.v1.Shop"));
		Server server = serve(resilience);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		CompletableFuture<Calls.Ended> stream = Calls.start(channel, Shop.SERVER_STREAM, CallOptions.DEFAULT);
		await().until(() -> this.streams.size() == 1);
		resilience.drain().shutdown(server);
		assertThat(server.isTerminated()).isTrue();
		assertThat(join(stream).status().isOk()).isFalse();
	}

	@Test
	void interruptedHandlersSayThatTheServerGoesAway() {
		GrpcResilience resilience = resilience(Duration.ZERO, LONG);
		Queue<Thread> threads = new ConcurrentLinkedQueue<>();
		AtomicBoolean byStatus = new AtomicBoolean();
		Server server = serve(resilience, (request, observer) -> {
			threads.add(Thread.currentThread());
			try {
				this.release.await();
			}
			catch (InterruptedException ex) {
				if (byStatus.get()) {
					Thread.currentThread().interrupt();
					observer.onError(Status.CANCELLED.withDescription("interrupted").asRuntimeException());
					return;
				}
				throw new IllegalStateException("interrupted", ex);
			}
		});
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		// Before, an interrupt is a failure like any other.
		assertThat(interrupted(channel, threads).code()).isEqualTo(Status.Code.INTERNAL);
		resilience.drain().closing();
		isDraining(interrupted(channel, threads));
		byStatus.set(true);
		isDraining(interrupted(channel, threads));
		nothingIsLeft(resilience);
	}

	private static Calls.Ended interrupted(Channel channel, Queue<Thread> threads) {
		CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
		await().until(() -> !threads.isEmpty());
		threads.remove().interrupt();
		return join(call);
	}

	@Test
	void serverThatNeverStartedAndOneThatIsShutDownTwiceHoldNobody() throws IOException {
		GrpcResilience resilience = resilience(Duration.ofMinutes(10), LONG);
		NettyServerBuilder builder = NettyServerBuilder.forPort(0).addService(new Shop());
		resilience.protect(builder);
		Server never = builder.build();
		resilience.drain().shutdown(never);
		resilience.drain().shutdown(never);
		assertThat(never.isTerminated()).isTrue();
		GrpcResilience other = resilience(Duration.ZERO, LONG);
		Server server = serve(other);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
		waitFor(this.entered);
		CompletableFuture<Void> one = shutdown(other, server);
		CompletableFuture<Void> two = shutdown(other, server);
		await().until(server::isShutdown);
		this.release.countDown();
		assertThat(join(call).status().isOk()).isTrue();
		join(one);
		join(two);
		other.drain().shutdown();
		nothingIsLeft(other);
	}

	@Test
	void callsOfAnotherServerGoOn() {
		GrpcResilience resilience = resilience(Duration.ZERO, Duration.ofMillis(30));
		Server going = serve(resilience);
		Server staying = serve(resilience);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(staying));
		CompletableFuture<Calls.Ended> stays = Calls.start(channel, Shop.SERVER_STREAM, CallOptions.DEFAULT);
		await().until(() -> this.streams.size() == 1);
		CompletableFuture<Calls.Ended> goes = Calls.start(Calls.warm(this.loopback.plainChannel(going)),
				Shop.SERVER_STREAM, CallOptions.DEFAULT);
		await().until(() -> this.streams.size() == 2);
		resilience.drain().shutdown(going);
		isDraining(join(goes));
		this.streams.element().onCompleted();
		assertThat(join(stays).status().isOk()).isTrue();
		assertThat(Calls.run(channel, Shop.CLIENT_STREAM, Loopback.within(20_000)).status().isOk()).isTrue();
	}

	@Test
	void everyServerHasItsOwnLimit() {
		GrpcResilience resilience = resilience(Duration.ZERO, LONG);
		resilience.drain().shutdown(serve(resilience));
		Server server = serve(resilience);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
		waitFor(this.entered);
		CompletableFuture<Void> down = shutdown(resilience, server);
		await().until(server::isShutdown);
		this.release.countDown();
		assertThat(join(call).status().isOk()).isTrue();
		join(down);
	}

	@Test
	void serversOfAnApplicationThatEndsShareTheLimit() {
		GrpcResilience resilience = resilience(Duration.ZERO, Duration.ofMillis(50));
		Server first = serve(resilience);
		Server second = serve(resilience);
		CompletableFuture<Calls.Ended> stream = Calls.start(Calls.warm(this.loopback.plainChannel(second)),
				Shop.SERVER_STREAM, CallOptions.DEFAULT);
		await().until(() -> this.streams.size() == 1);
		resilience.drain().closing();
		for (Server server : List.of(first, second)) {
			resilience.drain().begin(server, null);
			server.shutdown();
			await().until(server::isTerminated);
			resilience.drain().end(server);
		}
		isDraining(join(stream));
		nothingIsLeft(resilience);
	}

	@Test
	void observingChangesNothing() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.mode(Mode.OBSERVE)
			.server((server) -> server.drain(Duration.ofMinutes(10), Duration.ofMillis(50))));
		Server server = serve(resilience);
		ManagedChannel channel = Calls.warm(this.loopback.plainChannel(server));
		CompletableFuture<Calls.Ended> call = Calls.start(channel, Shop.UNARY, Loopback.within(60_000));
		waitFor(this.entered);
		resilience.drain().shutdown(server);
		assertThat(join(call).code()).isEqualTo(Status.Code.CANCELLED);
		assertThat(resilience.inspection().pendingDrains()).isZero();
	}

	@Test
	void timesOutOfRangeAreFaults() {
		GrpcResilienceBuilder builder = GrpcResilience.builder()
			.server((server) -> server.drain(Duration.ofMillis(-7), Duration.ofMinutes(61)));
		assertThatExceptionOfType(InvalidPolicyException.class).isThrownBy(builder::build)
			.satisfies((thrown) -> assertThat(thrown.faults()).extracting(PolicyFault::property)
				.containsExactlyInAnyOrder("grpc.resilience.server.drain.pause", "grpc.resilience.server.drain.limit"));
	}

}
