package io.github.grpcresilience.interop;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteAction.MaxStreamDuration;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.internal.connection.Balancing;
import io.github.grpcresilience.test.Fault;
import io.github.grpcresilience.test.FaultyServer;
import io.github.grpcresilience.test.Received;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A client without a proxy, which is told by a real control plane where its servers are
 * and who attempts calls again.
 */
class XdsTests {

	/** One for all: gRPC reads but once where it is. */
	private static final ControlPlane CONTROL_PLANE = new ControlPlane();

	private static final RouteAction PLAIN = RouteAction.getDefaultInstance();

	private static final RouteAction RETRYING = RouteAction.newBuilder()
		.setRetryPolicy(RetryPolicy.newBuilder()
			.setRetryOn("unavailable")
			.setNumRetries(UInt32Value.of(3))
			.setRetryBackOff(
					RetryPolicy.RetryBackOff.newBuilder().setBaseInterval(millis(1)).setMaxInterval(millis(7))))
		.build();

	/** gRPC keeps what it knows of a target as long as anybody uses it. */
	private static final AtomicInteger TESTS = new AtomicInteger();

	private final String service = "shop-" + TESTS.incrementAndGet();

	private final FaultyServer one = FaultyServer.start();

	private final FaultyServer two = FaultyServer.start();

	private final GrpcResilience resilience = GrpcResilience.builder()
		.client((client) -> client.attemptBudget(1, 100, Duration.ofSeconds(10))
			.policy("reads", (reads) -> reads.methods(Texts.SERVICE)
				.idempotent()
				.retry((retry) -> retry.maxAttempts(3).backoff(Duration.ofMillis(1), Duration.ofMillis(7), 1.5))))
		.build();

	private ManagedChannel channel;

	private static com.google.protobuf.Duration millis(int millis) {
		return com.google.protobuf.Duration.newBuilder().setNanos(millis * 1_000_000).build();
	}

	@BeforeAll
	static void tellWhereTheControlPlaneIs() {
		System.setProperty("io.grpc.xds.bootstrapConfig", CONTROL_PLANE.bootstrap());
	}

	@AfterAll
	static void endControlPlane() {
		System.clearProperty("io.grpc.xds.bootstrapConfig");
		CONTROL_PLANE.close();
	}

	@BeforeEach
	void connect() {
		NettyChannelBuilder builder = NettyChannelBuilder.forTarget("xds:///" + this.service)
			.usePlaintext()
			.intercept(this.resilience.client("shop"));
		this.resilience.connections().balance(builder, "shop", "round_robin");
		this.channel = builder.build();
	}

	@AfterEach
	void end() throws InterruptedException {
		this.channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
		this.resilience.close();
		this.one.close();
		this.two.close();
	}

	private Texts.Ended call() {
		return Texts.start(this.channel, "x", Texts.within(20_000)).ended();
	}

	private void answered() {
		Texts.Ended ended = call();
		assertThat(ended.answer()).as("%s", ended.status()).isEqualTo("x");
	}

	private long attempts(Runnable call) {
		long before = this.one.calls();
		call.run();
		return this.one.calls() - before;
	}

	private long attemptsOfAFailingCall() {
		return attempts(() -> assertThat(call().code()).isEqualTo(Status.Code.UNAVAILABLE));
	}

	@Test
	void callsGoWhereTheControlPlaneSays() {
		CONTROL_PLANE.tell(this.service, PLAIN, this.one.port());
		answered();
		CONTROL_PLANE.tell(this.service, PLAIN, this.one.port(), this.two.port());
		await().until(() -> call().isOk() && this.two.calls() > 0);
		CONTROL_PLANE.tell(this.service, PLAIN, this.two.port());
		await().until(() -> attempts(this::answered) == 0);
		assertThat(attempts(this::answered)).isZero();
	}

	@Test
	void balancingIsLeftToTheControlPlaneAndItIsSaid() {
		CONTROL_PLANE.tell(this.service, PLAIN, this.one.port());
		answered();
		assertThat(this.resilience.inspection().channels().get("shop")).extracting(Balancing::use)
			.containsExactly(Balancing.Use.REPLACED);
		assertThat(this.resilience.inspection().findings()).extracting(Finding::id).contains("BALANCING_IGNORED");
	}

	@Test
	void timeoutOfARouteIsIgnoredAndItsStreamDurationHolds() {
		CONTROL_PLANE.tell(this.service, RouteAction.newBuilder().setTimeout(millis(70)).build(), this.one.port());
		this.one.every(Fault.delay(Duration.ofMillis(300)));
		answered();
		CONTROL_PLANE.tell(this.service,
				RouteAction.newBuilder()
					.setMaxStreamDuration(MaxStreamDuration.newBuilder().setMaxStreamDuration(millis(70)))
					.build(),
				this.one.port());
		await().until(() -> call().code() == Status.Code.DEADLINE_EXCEEDED);
		Received last = this.one.received().get(this.one.received().size() - 1);
		assertThat(last.timeout()).isLessThanOrEqualTo(Duration.ofMillis(70));
	}

	@Test
	void callsAreAttemptedByOneOwnerAlone() {
		this.one.every(Fault.status(Status.UNAVAILABLE));
		CONTROL_PLANE.tell(this.service, PLAIN, this.one.port());
		assertThat(attemptsOfAFailingCall()).as("ours").isEqualTo(3);
		CONTROL_PLANE.tell(this.service, RETRYING, this.one.port());
		await().until(() -> {
			long attempts = attemptsOfAFailingCall();
			assertThat(attempts).as("of whoever it is").isLessThanOrEqualTo(6);
			return attempts == 4;
		});
		for (int i = 0; i < 20; i++) {
			assertThat(attemptsOfAFailingCall()).as("gRPC's").isEqualTo(4);
		}
		assertThat(this.resilience.inspection().findings())
			.anyMatch((finding) -> finding.id().equals("CHANNEL_ATTEMPTS"));
		CONTROL_PLANE.tell(this.service, PLAIN, this.one.port());
		await().until(() -> {
			long attempts = attemptsOfAFailingCall();
			assertThat(attempts).isLessThanOrEqualTo(4);
			return attempts == 3;
		});
		assertThat(attemptsOfAFailingCall()).as("ours").isEqualTo(3);
		assertThat(this.resilience.inspection().findings())
			.noneMatch((finding) -> finding.id().equals("CHANNEL_ATTEMPTS"));
	}

	@Test
	void routeRescuesCallsWithoutOurs() {
		CONTROL_PLANE.tell(this.service, RETRYING, this.one.port());
		answered();
		this.one.next(3, Fault.status(Status.UNAVAILABLE));
		assertThat(attempts(this::answered)).isEqualTo(4);
	}

	@Test
	void callsOfAClientThatNeverHeardOfTheServiceEnd() {
		CONTROL_PLANE.kill();
		try {
			for (int i = 0; i < 10; i++) {
				Texts.Ended ended = call();
				assertThat(ended.code()).as("%s", ended.status()).isEqualTo(Status.Code.UNAVAILABLE);
			}
		}
		finally {
			CONTROL_PLANE.comeBack();
		}
	}

	@Test
	void controlPlaneMayDieAndComeBack() {
		CONTROL_PLANE.tell(this.service, PLAIN, this.one.port());
		answered();
		CONTROL_PLANE.kill();
		for (int i = 0; i < 300; i++) {
			answered();
		}
		this.one.disconnect();
		assertThat(call().isOk()).as("on a new connection").isTrue();
		CONTROL_PLANE.comeBack();
		CONTROL_PLANE.tell(this.service, PLAIN, this.two.port());
		await().atMost(Duration.ofSeconds(20)).until(() -> call().isOk() && this.two.calls() > 0);
	}

}
