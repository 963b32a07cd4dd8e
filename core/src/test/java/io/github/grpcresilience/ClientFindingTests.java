package io.github.grpcresilience;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

import io.grpc.Channel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.event.ResilienceEvent;
import io.github.grpcresilience.event.ResilienceEvent.LateFinding;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.DeadlineSettings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

/**
 * What only the first calls of a client tell of its policies.
 */
class ClientFindingTests {

	private final Loopback loopback = new Loopback();

	private final Queue<ResilienceEvent> told = new ConcurrentLinkedQueue<>();

	@AfterEach
	void end() {
		this.loopback.close();
	}

	@Test
	void methodThatAServiceDoesNotHaveIsFoundOnceItIsCalled() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.events(this.told::add)
			.policies(Policies.client()
				.policy("typo", "grpc.health.v1.Health/Chek")
				.with(DeadlineSettings.MAX, Duration.ofSeconds(1))
				.end()
				.policy("dot", "grpc.health.v1.Health.Check")
				.with(DeadlineSettings.MAX, Duration.ofSeconds(2))
				.end()
				.policy("right", "grpc.health.v1.Health/Watch", "grpc.health.v1.Health")
				.with(DeadlineSettings.MAX, Duration.ofSeconds(3))
				.end()
				.policy("later", "shop.v1.Orders/Place")
				.with(DeadlineSettings.MAX, Duration.ofSeconds(4))
				.end()
				.define()));
		assertThat(resilience.inspection().findings()).as("nothing is known")
			.allMatch((finding) -> finding.severity() == Severity.INFO);
		check(resilience);
		check(resilience);
		assertThat(resilience.inspection().findings()).extracting(Finding::id, Finding::severity, Finding::subject)
			.containsExactlyInAnyOrder(tuple("UNMATCHED_METHOD", Severity.WARNING, "grpc.health.v1.Health/Chek"),
					tuple("UNMATCHED_METHOD", Severity.WARNING, "grpc.health.v1.Health.Check"),
					tuple("UNMATCHED_METHOD", Severity.INFO, "shop.v1.Orders/Place"));
		assertThat(this.told).extracting(ResilienceEvent::method)
			.containsExactlyInAnyOrder("grpc.health.v1.Health/Chek", "grpc.health.v1.Health.Check");
		assertThat(this.told).filteredOn((event) -> event.method().endsWith(".Check"))
			.singleElement()
			.isInstanceOfSatisfying(LateFinding.class,
					(found) -> assertThat(found.remedy()).isEqualTo("write grpc.health.v1.Health/Check"));
	}

	@Test
	void attemptsThatAreNotMadeAreToldOnce() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.events(this.told::add)
			.policies(Policies.client()
				.policy("p", "grpc.health.v1.Health/Check")
				.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 3)
				.end()
				.define()));
		check(resilience);
		check(resilience);
		assertThat(this.told).singleElement()
			.isInstanceOfSatisfying(LateFinding.class, (found) -> assertThat(found.id()).isEqualTo("NOT_IDEMPOTENT"));
		assertThat(resilience.inspection().findings()).extracting(Finding::id).containsExactly("NOT_IDEMPOTENT");
	}

	private void check(GrpcResilience resilience) {
		Channel channel = this.loopback.channel(
				this.loopback.servePlain(new Shop(),
						(builder) -> builder.addService(new HealthStatusManager().getHealthService())),
				resilience, "shop");
		HealthGrpc.newBlockingStub(channel)
			.withDeadlineAfter(20, TimeUnit.SECONDS)
			.check(HealthCheckRequest.getDefaultInstance());
	}

}
