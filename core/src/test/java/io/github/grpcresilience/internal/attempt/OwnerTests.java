package io.github.grpcresilience.internal.attempt;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GivenNames;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.policy.HedgeDelay;

import static io.github.grpcresilience.internal.attempt.ScriptedServer.fail;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.headers;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.ok;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.pushBack;
import static io.github.grpcresilience.internal.attempt.ScriptedServer.silence;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A channel whose service config gets a retry policy, and loses it again. Ours makes
 * three attempts, the channel's four.
 */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class OwnerTests {

	private static final int OURS = 3;

	private static final int CHANNELS = 4;

	private final Loopback loopback = new Loopback();

	private final GivenNames names = new GivenNames(InetSocketAddress.class);

	private GrpcResilience resilience;

	private final ScriptedServer script = new ScriptedServer(fail(Status.Code.UNAVAILABLE));

	private Server server;

	private ManagedChannel channel;

	private static Policies.Layer policy() {
		return Policies.client().policy("shop", "test.v1.Shop").with(AttemptSettings.IDEMPOTENT, true);
	}

	@BeforeEach
	void retry() {
		connect(policy().with(AttemptSettings.RETRY_MAX_ATTEMPTS, OURS)
			.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(7)));
	}

	private void connect(Policies.Layer policy) {
		this.resilience = this.loopback.resilience(GrpcResilience.builder()
			.policies(policy.end().section(AttemptSettings.BUDGET_MIN_PER_SECOND, 1_000.0).define()));
		this.server = this.loopback.servePlain(this.script::service, (builder) -> {
		});
		this.channel = NettyChannelBuilder.forTarget(this.names.target())
			.usePlaintext()
			.intercept(this.resilience.client("shop"))
			.build();
		this.loopback.end(this.channel);
		policyGoes();
	}

	@AfterEach
	void close() {
		this.loopback.close();
		this.names.close();
	}

	private void policyGoes() {
		this.names.give(this.server.getListenSockets().get(0), Map.of());
	}

	private void policyComes() {
		this.names.give(this.server.getListenSockets().get(0),
				Map.of("methodConfig",
						List.of(Map.of("name", List.of(Map.of("service", "test.v1.Shop")), "retryPolicy",
								Map.of("maxAttempts", (double) CHANNELS, "initialBackoff", "0.2s", "maxBackoff", "0.2s",
										"backoffMultiplier", 1.0, "retryableStatusCodes", List.of("UNAVAILABLE"))))));
	}

	/** How many attempts the server sees of one call that fails. */
	private int attempts() {
		this.script.seen().clear();
		assertThat(Calls.run(this.channel, Shop.UNARY, Loopback.within(20_000)).code())
			.isEqualTo(Status.Code.UNAVAILABLE);
		return this.script.seen().size();
	}

	private List<String> findings() {
		return this.resilience.inspection().findings().stream().map(Finding::id).toList();
	}

	@Test
	void noCallHasTwoOwnersWhenAPolicyComesAndGoes() {
		assertThat(attempts()).isEqualTo(OURS);
		policyComes();
		assertThat(attempts()).as("the first call that the channel repeats").isEqualTo(CHANNELS);
		assertThat(attempts()).isEqualTo(CHANNELS);
		assertThat(findings()).containsExactly("CHANNEL_ATTEMPTS");
		policyGoes();
		assertThat(attempts()).as("the call that shows that nobody repeats it").isOne();
		assertThat(findings()).isEmpty();
		assertThat(attempts()).isEqualTo(OURS);
		policyComes();
		assertThat(attempts()).isEqualTo(CHANNELS);
		assertThat(findings()).containsExactly("CHANNEL_ATTEMPTS");
	}

	@Test
	void policyThatComesDuringTheBackoffFindsNoCallOfTwoOwners() {
		this.script.play((attempt) -> {
			policyComes();
			attempt.call().close(Status.UNAVAILABLE, attempt.trailers());
		}, fail(Status.Code.UNAVAILABLE));
		assertThat(attempts()).as("the second one is the last").isEqualTo(2);
		await().untilAsserted(() -> assertThat(findings()).containsExactly("CHANNEL_ATTEMPTS"));
		assertThat(attempts()).isEqualTo(CHANNELS);
	}

	@Test
	void whatAChannelWouldNotRepeatAnywayTellsNothing() {
		policyComes();
		assertThat(attempts()).isEqualTo(CHANNELS);
		this.script.play(headers().then(fail(Status.Code.UNAVAILABLE)));
		assertThat(attempts()).as("committed by its headers").isOne();
		assertThat(findings()).containsExactly("CHANNEL_ATTEMPTS");
		this.script.play(pushBack(Status.Code.UNAVAILABLE, "-1"));
		assertThat(attempts()).as("the server wants no more").isOne();
		assertThat(findings()).containsExactly("CHANNEL_ATTEMPTS");
		this.script.play(ok());
		Calls.run(this.channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(findings()).containsExactly("CHANNEL_ATTEMPTS");
		this.script.play(fail(Status.Code.UNAVAILABLE));
		assertThat(attempts()).isEqualTo(CHANNELS);
	}

	@Test
	void attemptThatTheChannelRepeatsBesideAHedgeIsGivenUp() {
		connect(policy().with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 2)
			.with(AttemptSettings.HEDGE_DELAY, HedgeDelay.of(Duration.ofMillis(7))));
		policyComes();
		this.script.play(silence(),
				(attempt) -> this.script.seen().get(0).call().close(Status.UNAVAILABLE, new Metadata()), silence());
		CompletableFuture<Calls.Ended> call = Calls.start(this.channel, Shop.UNARY, Loopback.within(20_000));
		await().untilAsserted(() -> assertThat(findings()).containsExactly("CHANNEL_ATTEMPTS"));
		// Longer than the channel waits before it repeats.
		await().during(Duration.ofMillis(500)).until(() -> this.script.seen().size() == 2);
		ok().accept((ScriptedServer.Attempt) this.script.seen().get(1));
		assertThat(call.join().code()).isEqualTo(Status.Code.OK);
	}

}
