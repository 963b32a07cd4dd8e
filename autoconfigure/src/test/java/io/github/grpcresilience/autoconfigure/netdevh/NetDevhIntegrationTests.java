package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCalls;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.autoconfigure.actuate.observability.AutoConfigureObservability;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.client.TestRestTemplate;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.test.annotation.DirtiesContext;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.Echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * One application on net.devh's starter, with its own server over Netty and in-process.
 */
@AutoConfigureObservability
@DirtiesContext
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "spring.application.name=echo", "grpc.server.port=0", "grpc.server.in-process-name=echo",
				"grpc.client.over-netty.address=self:self", "grpc.client.over-netty.negotiation-type=plaintext",
				"grpc.client.in-process.address=in-process:echo", "management.endpoints.web.exposure.include=*",
				"grpc.resilience.server.deadline.missing=reject",
				"grpc.resilience.server.policies.slow.methods=test.v1.Echo/Slow",
				"grpc.resilience.server.policies.slow.deadline.max=333ms",
				"grpc.resilience.client.policies.own.clients=in-process",
				"grpc.resilience.client.policies.own.methods=test.v1.Echo/Remaining",
				"grpc.resilience.client.policies.own.deadline.default=777ms" })
class NetDevhIntegrationTests {

	private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

	@GrpcClient("over-netty")
	private Channel overNetty;

	@GrpcClient("in-process")
	private Channel inProcess;

	@GrpcClient("over-netty")
	private Echo.EchoBlockingStub blocking;

	@GrpcClient("over-netty")
	private Echo.EchoBlockingV2Stub blockingV2;

	@Autowired
	private GrpcResilience resilience;

	@Autowired
	private MeterRegistry meters;

	@Autowired
	private TestRestTemplate http;

	@AfterEach
	void endTimer() {
		this.timer.shutdownNow();
	}

	@Test
	void clientDefaultReachesTheHandlerOverNetty() throws Exception {
		assertThat(Long.parseLong(this.blocking.remaining())).isBetween(1L, 2000L);
		assertThat(Long.parseLong(this.blockingV2.remaining())).isBetween(1L, 2000L);
	}

	@Test
	void policyOfANamedClientReachesTheHandlerInProcess() {
		assertThat(Long.parseLong(Echo.call(this.inProcess, CallOptions.DEFAULT))).isBetween(1L, 777L);
	}

	@Test
	void inheritedBudgetIsPassedOnLessTheReserve() {
		Context.CancellableContext context = Context.current()
			.withDeadlineAfter(1000, TimeUnit.MILLISECONDS, this.timer);
		try {
			context.run(() -> assertThat(Long.parseLong(this.blocking.remaining())).isBetween(1L, 950L));
		}
		finally {
			context.cancel(null);
		}
	}

	@Test
	void streamOfTheClientPassesWithoutDeadlineAndIsAFinding() {
		assertThat(ClientCalls.blockingServerStreamingCall(this.overNetty, Echo.WATCH, CallOptions.DEFAULT, "").next())
			.isEqualTo("none");
		assertThat(this.resilience.inspection().findings())
			.anyMatch((finding) -> finding.id().equals("STREAM_WITHOUT_DEADLINE")
					&& finding.subject().equals("test.v1.Echo/Watch"));
	}

	@Test
	void healthAndReflectionPassWhereDeadlinesAreRequired() {
		Context.CancellableContext context = Context.current().withCancellation();
		try {
			context.run(() -> assertThat(HealthGrpc.newBlockingStub(this.overNetty)
				.watch(HealthCheckRequest.getDefaultInstance())
				.next()
				.getStatusValue()).isPositive());
		}
		finally {
			context.cancel(null);
		}
		assertThat(HealthGrpc.newBlockingStub(this.overNetty)
			.check(HealthCheckRequest.getDefaultInstance())
			.getStatusValue()).isPositive();
	}

	@Test
	void metersOfTheServerSeeHowWeAnswer() {
		assertThat(catchThrowable(() -> ClientCalls.blockingUnaryCall(this.overNetty, Echo.SLOW,
				CallOptions.DEFAULT.withDeadlineAfter(5, TimeUnit.SECONDS), "")))
			.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getDescription())
				.contains("of a budget of 333 ms"));
		// net.devh registers its timers beforehand, so only those that counted tell.
		await().untilAsserted(() -> assertThat(this.meters.getMeters()
			.stream()
			.filter((meter) -> meter instanceof Timer timer && timer.count() > 0)
			.map((meter) -> meter.getId().toString())
			.filter((id) -> id.contains("grpc.server") && id.contains("Slow"))).isNotEmpty()
			.allSatisfy((id) -> assertThat(id).contains("DEADLINE_EXCEEDED")));
	}

	@Test
	@SuppressWarnings("unchecked")
	void endpointShowsPoliciesOriginsAndCounts() {
		Echo.call(this.inProcess, CallOptions.DEFAULT);
		assertThat(catchThrowable(
				() -> Echo.call(this.inProcess, CallOptions.DEFAULT.withDeadlineAfter(-1, TimeUnit.MILLISECONDS))))
			.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getCode())
				.isEqualTo(Status.Code.DEADLINE_EXCEEDED));
		await().untilAsserted(() -> {
			Map<String, Object> body = this.http.getForObject("/actuator/grpcresilience", Map.class);
			assertThat(body).containsEntry("mode", "enforce").containsKey("findings");
			assertThat((Map<String, Object>) body.get("cancellation")).containsOnlyKeys("statement", "task",
					"http_exchange", "subscription");
			Map<String, Object> served = method(body, "server", null);
			assertThat((Map<String, Integer>) served.get("counts")).containsKey("OK");
			assertThat(value(served, "missing")).containsEntry("value", "reject")
				.containsEntry("property", "grpc.resilience.server.deadline.missing");
			assertThat(value(served, "max")).containsEntry("value", "24h").containsEntry("origin", "built-in");
			assertThat(served).containsEntry("inFlight", 0).containsEntry("type", "unary");
			Map<String, Object> called = method(body, "client", "in-process");
			assertThat((Map<String, Integer>) called.get("counts")).containsKeys("OK", "DEADLINE_EXCEEDED");
			assertThat(value(called, "default")).containsEntry("value", "777ms");
		});
	}

	@SuppressWarnings("unchecked")
	private static Map<String, Object> method(Map<String, Object> body, String side, String client) {
		List<Map<String, Object>> methods = (List<Map<String, Object>>) ((Map<String, Object>) body.get(side))
			.get("methods");
		return methods.stream()
			.filter((method) -> method.get("method").equals("test.v1.Echo/Remaining")
					&& (client == null || client.equals(method.get("client"))))
			.findFirst()
			.orElseThrow();
	}

	@SuppressWarnings("unchecked")
	private static Map<String, Object> value(Map<String, Object> method, String name) {
		Map<String, Object> policy = (Map<String, Object>) method.get("policy");
		return (Map<String, Object>) ((Map<String, Object>) policy.get("deadline")).get(name);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Echo.class)
	static class Application {

	}

}
