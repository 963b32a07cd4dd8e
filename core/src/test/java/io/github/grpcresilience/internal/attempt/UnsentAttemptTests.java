package io.github.grpcresilience.internal.attempt;

import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.GivenNames;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.test.Relay;

import static io.github.grpcresilience.internal.attempt.ScriptedServer.ok;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.silence;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Attempts over a connection that is not there yet: what no server has seen does not
 * count.
 */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class UnsentAttemptTests {

	private static final Metadata.Key<String> PUSH_BACK = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private final Loopback loopback = new Loopback();

	private final AtomicInteger attempts = new AtomicInteger();

	private GrpcResilience resilience;

	private ScriptedServer script;

	private Server server;

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private void serve(int maxAttempts, ScriptedServer.Step... steps) {
		this.resilience = this.loopback.resilience(GrpcResilience.builder()
			.policies(Policies.client()
				.policy("shop", "test.v1.Shop")
				.with(AttemptSettings.IDEMPOTENT, true)
				.with(AttemptSettings.RETRY_MAX_ATTEMPTS, maxAttempts)
				.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(7))
				.with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(310))
				.end()
				.define()));
		this.script = new ScriptedServer(steps);
		this.server = this.loopback.servePlain(this.script::service, (builder) -> {
		});
	}

	private ManagedChannel channel(NettyChannelBuilder builder) {
		ManagedChannel channel = builder.usePlaintext()
			.intercept(new CountsAttempts())
			.intercept(this.resilience.client("shop"))
			.build();
		this.loopback.end(channel);
		return channel;
	}

	private CalledMethod method() {
		return this.resilience.inspection().calledMethods().get(0);
	}

	private void assertAnsweredByOneAttempt(CompletableFuture<Ended> call) {
		Ended ended = call.join();
		assertThat(ended.code()).as("%s", ended.status()).isEqualTo(Status.Code.OK);
		assertThat(this.script.previousAttempts()).containsExactly("null");
		assertThat(method().attemptCounts().furtherAttempts()).isZero();
		assertThat(this.resilience.inspection().attemptBudgets().get("shop").taken()).isZero();
	}

	@Test
	void timeoutBeforeTheNameIsResolvedDoesNotCount() {
		serve(3, ok());
		try (GivenNames names = new GivenNames(InetSocketAddress.class)) {
			CompletableFuture<Ended> call = Calls.start(channel(NettyChannelBuilder.forTarget(names.target())),
					Shop.UNARY, Loopback.within(20_000));
			await().until(() -> this.attempts.get() == 2);
			names.give(this.server.getListenSockets().get(0), Map.of());
			assertAnsweredByOneAttempt(call);
		}
	}

	@Test
	void timeoutBeforeThereIsAConnectionDoesNotCount() {
		serve(3, ok());
		try (Relay relay = new Relay(this.server.getPort())) {
			relay.hold();
			CompletableFuture<Ended> call = Calls.start(
					channel(NettyChannelBuilder.forAddress("localhost", relay.port())), Shop.UNARY,
					Loopback.within(20_000));
			await().until(() -> this.attempts.get() == 2);
			relay.release();
			assertAnsweredByOneAttempt(call);
		}
	}

	@Test
	void callThatTheControlPlaneRefusesEnds() {
		serve(3, ok());
		try (GivenNames names = new GivenNames(InetSocketAddress.class)) {
			names.refuse(Status.UNAVAILABLE.withDescription("nobody knows it"));
			names.give(this.server.getListenSockets().get(0), Map.of());
			// gRPC tells the end before it has a call to ask.
			Ended ended = Calls
				.start(channel(NettyChannelBuilder.forTarget(names.target())), Shop.UNARY,
						Loopback.within(20_000).withExecutor(Runnable::run))
				.orTimeout(20, TimeUnit.SECONDS)
				.join();
			assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
			assertThat(ended.status().getDescription()).contains("nobody knows it");
			assertThat(this.script.previousAttempts()).isEmpty();
		}
	}

	@Test
	void connectionThatClosesIsNoUnknownFailure() {
		serve(3, ok());
		AtomicBoolean closing = new AtomicBoolean(true);
		ManagedChannel channel = channel(NettyChannelBuilder.forAddress("localhost", this.server.getPort())
			.intercept(new ClosesConnection(closing)));
		assertThat(Loopback.call(channel, Loopback.within(20_000), "x")).isNotNull();
		assertThat(closing).isFalse();
		assertThat(method().attemptCounts().furtherAttempts()).isEqualTo(1);
	}

	@Test
	void oneAttemptMayBeTimedFromWhenItIsSent() {
		serve(1, ok());
		try (GivenNames names = new GivenNames(InetSocketAddress.class)) {
			CompletableFuture<Ended> call = Calls.start(channel(NettyChannelBuilder.forTarget(names.target())),
					Shop.UNARY, Loopback.within(20_000));
			await().until(() -> this.attempts.get() == 2);
			names.give(this.server.getListenSockets().get(0), Map.of());
			assertAnsweredByOneAttempt(call);
		}
	}

	@Test
	void timeoutAfterALateConnectionCounts() {
		serve(2, silence());
		try (GivenNames names = new GivenNames(InetSocketAddress.class)) {
			CompletableFuture<Ended> call = Calls.start(channel(NettyChannelBuilder.forTarget(names.target())),
					Shop.UNARY, Loopback.within(20_000));
			await().until(() -> this.attempts.get() == 2);
			names.give(this.server.getListenSockets().get(0), Map.of());
			Ended ended = call.join();
			assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			assertThat(ended.errorInfo().getMetadataMap()).containsEntry("attempt_timeout_ms", "310");
			assertThat(ended.trailers().get(PUSH_BACK)).isEqualTo("-1");
			assertThat(this.script.previousAttempts()).containsExactly("null", "1");
			assertThat(method().attemptCounts().furtherAttempts()).isOne();
			await().untilAsserted(() -> assertThat(this.script.seen()).extracting(ScriptedServer.Seen::isCancelled)
				.containsOnly(true));
		}
	}

	@Test
	void callThatIsNeverSentSaysNothingOfFurtherAttempts() {
		serve(3, ok());
		try (GivenNames names = new GivenNames(InetSocketAddress.class)) {
			Ended ended = Calls.run(channel(NettyChannelBuilder.forTarget(names.target())), Shop.UNARY,
					Loopback.within(1_100));
			assertThat(ended.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			assertThat(ended.trailers().get(PUSH_BACK)).isNull();
			assertThat(this.script.seen()).isEmpty();
			await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
		}
	}

	/** Stands at the channel, where each attempt passes. */
	private final class CountsAttempts implements ClientInterceptor {

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options, Channel next) {
			UnsentAttemptTests.this.attempts.incrementAndGet();
			return next.newCall(method, options);
		}

	}

	/**
	 * Fails a call as gRPC does when its connection is closed by then.
	 */
	private record ClosesConnection(AtomicBoolean once) implements ClientInterceptor {

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options, Channel next) {
			ClientCall<ReqT, RespT> call = next.newCall(method, options);
			if (!this.once.compareAndSet(true, false)) {
				return call;
			}
			return new SimpleForwardingClientCall<>(call) {

				@Override
				public void start(Listener<RespT> listener, Metadata headers) {
					listener.onClose(
							Status.UNKNOWN.withDescription("channel closed").withCause(new ClosedChannelException()),
							new Metadata());
				}

				@Override
				public void sendMessage(ReqT message) {
				}

				@Override
				public void request(int count) {
				}

				@Override
				public void halfClose() {
				}

			};
		}

	}

}
