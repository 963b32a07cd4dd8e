package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
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
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.internal.admission.AdmissionUsage;
import io.github.grpcresilience.internal.admission.AdmissionUsage.Use;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Limits of an application on net.devh's starter, as its callers, its meters and its
 * operators see them.
 */
@AutoConfigureObservability
@DirtiesContext
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "spring.application.name=echo", "grpc.server.port=0", "grpc.client.echo.address=self:self",
				"grpc.client.echo.negotiation-type=plaintext", "management.endpoints.web.exposure.include=*",
				"grpc.resilience.server.admission.max-concurrent=3", "grpc.resilience.server.admission.adaptive=true",
				"grpc.resilience.server.policies.slow.methods=test.v1.Echo/Slow",
				"grpc.resilience.server.policies.slow.admission.max-concurrent=2" })
class NetDevhAdmissionTests {

	@GrpcClient("echo")
	private Channel channel;

	@Autowired
	private GrpcResilience resilience;

	@Autowired
	private MeterRegistry meters;

	@Autowired
	private TestRestTemplate http;

	private final List<CancellableContext> held = new ArrayList<>();

	@AfterEach
	void leave() {
		this.held.forEach((context) -> context.cancel(null));
		await().untilAsserted(() -> assertThat(this.resilience.inspection().admission().totalUsage())
			.isEqualTo(new AdmissionUsage(new Use(0, 3), new Use(0, 3))));
	}

	@Test
	void refusedCallsPassThroughMetersAndHealthDoesNotCount() {
		hold(1);
		hold(2);
		GrpcErrors refused = GrpcErrors.from(catchThrowable(() -> slow(CallOptions.DEFAULT)));
		assertThat(refused.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(refused.reason()).contains("CONCURRENCY_LIMIT");
		assertThat(refused.metadata()).containsEntry("service", "echo").containsEntry("limit", "2");
		assertThat(refused.retryDelay()).isPresent();
		Echo.call(this.channel, CallOptions.DEFAULT);
		assertThat(HealthGrpc.newBlockingStub(this.channel)
			.check(HealthCheckRequest.getDefaultInstance())
			.getStatusValue()).isPositive();
		await().untilAsserted(() -> assertThat(this.meters.getMeters()
			.stream()
			.filter((meter) -> meter instanceof Timer timer && timer.count() > 0)
			.map((meter) -> meter.getId().toString())
			.filter((id) -> id.contains("grpc.server") && id.contains("Slow"))).isNotEmpty()
			.anySatisfy((id) -> assertThat(id).contains("RESOURCE_EXHAUSTED")));
	}

	@Test
	@SuppressWarnings("unchecked")
	void endpointShowsLimitsOriginsAndUse() {
		hold(1);
		Map<String, Object> body = this.http.getForObject("/actuator/grpcresilience", Map.class);
		Map<String, Object> server = (Map<String, Object>) body.get("server");
		assertThat(server.get("admission"))
			.isEqualTo(Map.of("calls", Map.of("inUse", 1, "limit", 3), "unary", Map.of("inUse", 1, "limit", 3)));
		Map<String, Object> total = (Map<String, Object>) ((Map<String, Object>) server.get("policy")).get("admission");
		assertThat((Map<String, Object>) total.get("max-concurrent")).containsEntry("value", 3)
			.containsEntry("property", "grpc.resilience.server.admission.max-concurrent");
		List<Map<String, Object>> methods = (List<Map<String, Object>>) server.get("methods");
		assertThat(methods).filteredOn("method", "test.v1.Echo/Slow").singleElement().satisfies((method) -> {
			assertThat((Map<String, Object>) method.get("admission")).containsEntry("calls",
					Map.of("inUse", 1, "limit", 2));
			Map<String, Object> policy = (Map<String, Object>) ((Map<String, Object>) method.get("policy"))
				.get("admission");
			assertThat(policy).containsOnlyKeys("max-concurrent");
			assertThat((Map<String, Object>) policy.get("max-concurrent")).containsEntry("value", 2)
				.containsEntry("property", "grpc.resilience.server.policies.slow.admission.max-concurrent");
		});
		assertThat(methods).filteredOn("method", "test.v1.Echo/Remaining")
			.singleElement()
			.satisfies((method) -> assertThat(method.get("admission")).isNull());
	}

	/**
	 * Starts a call that nobody answers, as the so many-th one.
	 */
	private void hold(int number) {
		CancellableContext context = Context.current().withCancellation();
		this.held.add(context);
		context.run(() -> ClientCalls.asyncUnaryCall(
				this.channel.newCall(Echo.SLOW, CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS)), "",
				new Ignoring()));
		await().untilAsserted(() -> assertThat(this.resilience.inspection().admission().totalUsage().calls().inUse())
			.isEqualTo(number));
	}

	private String slow(CallOptions options) {
		return ClientCalls.blockingUnaryCall(this.channel, Echo.SLOW, options, "");
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Echo.class)
	static class Application {

	}

	private static final class Ignoring implements StreamObserver<String> {

		@Override
		public void onNext(String value) {
			// Nobody answers.
		}

		@Override
		public void onError(Throwable thrown) {
			// The test leaves.
		}

		@Override
		public void onCompleted() {
			// Nobody answers.
		}

	}

}
