package io.github.grpcresilience.stacks;

import java.util.ArrayList;
import java.util.List;

import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceEndpoint;
import io.github.grpcresilience.autoconfigure.GrpcResilienceEndpoint.BalancedChannel;
import io.github.grpcresilience.internal.connection.BackendState;
import io.github.grpcresilience.test.Fault;
import io.github.grpcresilience.test.FaultyServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * A client with two servers, as the stack's properties name them, beside observation.
 */
class BalancingStackTests {

	private final FaultyServer one = FaultyServer.start();

	private final FaultyServer other = FaultyServer.start();

	private ConfigurableApplicationContext application;

	@AfterEach
	void end() {
		if (this.application != null) {
			this.application.close();
		}
		this.one.close();
		this.other.close();
	}

	/** On some stacks one of its own. */
	private Channel channel(String... more) {
		start(more);
		return Stack.channel(this.application, "next");
	}

	private void start(String... more) {
		List<String> properties = new ArrayList<>(List.of("spring.application.name=caller", Stack.SERVER_PORT + "=0",
				"spring.jmx.enabled=false", Stack.WITHOUT_DATABASE, "management.endpoints.web.exposure.include=*",
				"grpc.resilience.client.policies.reads.methods=test.v1.Shop/Work",
				"grpc.resilience.client.policies.reads.idempotent=true",
				"grpc.resilience.client.policies.reads.retry.max-attempts=2",
				"grpc.resilience.client.policies.reads.retry.initial-backoff=1ms",
				"grpc.resilience.client.attempt-budget.min-per-second=1000"));
		properties.addAll(List.of(Stack.client("next", this.one.port(), this.other.port())));
		properties.addAll(List.of(more));
		this.application = new SpringApplicationBuilder(Harbor.class).web(WebApplicationType.NONE)
			.properties(properties.toArray(String[]::new))
			.run();
	}

	private static void awaitBoth(Channel channel, FaultyServer one, FaultyServer other) {
		await().ignoreExceptions().until(() -> {
			Shop.call(channel, Shop.REMAINING, "x");
			return one.calls() > 0 && other.calls() > 0;
		});
	}

	@SuppressWarnings("unchecked")
	private List<BackendState> addresses() {
		return (List<BackendState>) connections("addresses");
	}

	/** Of each channel that was made, used or not. */
	@SuppressWarnings("unchecked")
	private List<BalancedChannel> balancing() {
		return (List<BalancedChannel>) connections("balancing");
	}

	private Object connections(String key) {
		return this.application.getBean(GrpcResilienceEndpoint.class)
			.describe()
			.client()
			.connections()
			.get("next")
			.get(key);
	}

	private List<String> findings() {
		return this.application.getBean(GrpcResilience.class)
			.inspection()
			.findings()
			.stream()
			.map(Finding::id)
			.toList();
	}

	@Test
	void attemptsGoElsewhereAndTheEndpointShowsWhoFails() {
		Channel channel = channel();
		awaitBoth(channel, this.one, this.other);
		this.one.every(Fault.status(Status.UNAVAILABLE));
		for (int i = 0; i < 100; i++) {
			assertThat(Shop.call(channel, Shop.WORK, "x")).isEqualTo("x");
		}
		assertThat(addresses()).extracting(BackendState::address)
			.containsExactlyInAnyOrder("127.0.0.1:" + this.one.port(), "127.0.0.1:" + this.other.port());
		assertThat(addresses()).filteredOn(BackendState::ejected)
			.extracting(BackendState::address)
			.containsExactly("127.0.0.1:" + this.one.port());
		assertThat(balancing()).contains(new BalancedChannel("round_robin", "used"));
	}

	@Test
	void policyOfTheStackChooses() {
		Channel channel = channel(Stack.BALANCING + "=pick_first");
		for (int i = 0; i < 10; i++) {
			Shop.call(channel, Shop.REMAINING, "x");
		}
		assertThat(List.of(this.one.calls(), this.other.calls())).containsExactlyInAnyOrder(10L, 0L);
		assertThat(balancing()).contains(new BalancedChannel("pick_first", "used"));
	}

	@Test
	void warmClientIsConnectedOnceTheApplicationHasStarted() {
		start("grpc.resilience.client.connections.next.warm-up=true");
		assertThat(this.application.getBean(GrpcResilience.class).connections().isConnected("next")).isTrue();
		assertThat(this.one.accepted() + this.other.accepted()).isPositive();
		assertThat(this.one.calls() + this.other.calls()).isZero();
	}

	@Test
	void otherClientsConnectWithTheirFirstCall() {
		start();
		assertThat(this.one.accepted() + this.other.accepted()).isZero();
	}

	@Test
	void applicationStartsAlthoughNobodyIsThereToBeWarm() {
		this.one.refuse();
		this.other.refuse();
		start("grpc.resilience.client.connection.warm-up=true",
				"grpc.resilience.client.connection.connect-timeout=200ms");
		assertThat(this.application.isActive()).isTrue();
	}

	@Test
	void serverThatIsAskedTooOftenIsFound() {
		Channel channel = channel();
		assertThat(findings()).doesNotContain("KEEPALIVE_REJECTED");
		this.one.every(Fault.goAway(11, "too_many_pings"));
		this.other.every(Fault.goAway(11, "too_many_pings"));
		assertThat(catchThrowable(() -> Shop.call(channel, Shop.REMAINING, "x")))
			.isInstanceOf(StatusRuntimeException.class)
			.hasMessageContaining("too_many_pings");
		assertThat(findings()).contains("KEEPALIVE_REJECTED");
	}

	@Test
	void ageOfConnectionsIsComparedWithDeadlines() {
		start("grpc.resilience.server.connection.max-age-grace=2s",
				"grpc.resilience.server.policies.slow.methods=test.v1.Shop/Work",
				"grpc.resilience.server.policies.slow.deadline.default=3s");
		assertThat(this.application.getBean(GrpcResilience.class).inspection().findings())
			.filteredOn((finding) -> finding.id().equals("AGE_SHORTER_THAN_DEADLINE"))
			.extracting(Finding::subject)
			.contains("test.v1.Shop/Work");
		assertThat(findings()).doesNotContain("NO_CONNECTION_AGE");
	}

	@Test
	void connectionsOfAnyAgeAreFound() {
		start("grpc.resilience.server.connection.max-age=0");
		assertThat(findings()).contains("NO_CONNECTION_AGE").doesNotContain("AGE_SHORTER_THAN_DEADLINE");
	}

}
