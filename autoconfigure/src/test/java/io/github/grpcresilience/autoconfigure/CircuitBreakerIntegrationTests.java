package io.github.grpcresilience.autoconfigure;

import java.util.Map;

import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.micrometer.core.instrument.MeterRegistry;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.autoconfigure.actuate.observability.AutoConfigureObservability;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.client.TestRestTemplate;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.test.annotation.DirtiesContext;

import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * resilience4j's own endpoints and meters, beside the calls of an application.
 */
@AutoConfigureObservability
@DirtiesContext
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "grpc.server.port=-1", "grpc.server.in-process-name=breakers",
				"grpc.client.echo.address=in-process:breakers", "management.endpoints.web.exposure.include=*",
				"resilience4j.circuitbreaker.configs.careful.minimum-number-of-calls=7",
				"grpc.resilience.client.policies.echo.methods=test.v1.Echo",
				"grpc.resilience.client.policies.echo.circuit-breaker.config=careful" })
class CircuitBreakerIntegrationTests {

	private static final String NAME = "grpc.echo.test.v1.Echo.Remaining";

	@GrpcClient("echo")
	private Channel channel;

	@Autowired
	private CircuitBreakerRegistry breakers;

	@Autowired
	private MeterRegistry meters;

	@Autowired
	private TestRestTemplate http;

	@Autowired
	private ApplicationContext context;

	@Test
	void endpointsAndMetersOfTheEngineShowOurBreakers() {
		Echo.call(this.channel, CallOptions.DEFAULT);
		assertThat(this.context.getBeanNamesForType(CircuitBreakerRegistry.class)).hasSize(1);
		assertThat(this.http.getForObject("/actuator/circuitbreakers", String.class)).contains(NAME)
			.contains("\"bufferedCalls\":1");
		assertThat(this.http.getForObject("/actuator/circuitbreakerevents/" + NAME, String.class))
			.contains("\"type\":\"SUCCESS\"");
		assertThat(this.meters.get("resilience4j.circuitbreaker.buffered.calls")
			.tag("name", NAME)
			.tag("kind", "successful")
			.gauges()).singleElement().satisfies((gauge) -> assertThat(gauge.value()).isEqualTo(1));
		assertThat(this.http.getForObject("/actuator/grpcresilience", String.class)).contains("circuit-breaker.config",
				"careful");
		assertThat(this.breakers.circuitBreaker(NAME).getCircuitBreakerConfig().getMinimumNumberOfCalls()).isEqualTo(7);
		operatorOpensAndCloses();
	}

	private void operatorOpensAndCloses() {
		update("FORCE_OPEN");
		assertThatThrownBy(() -> Echo.call(this.channel, CallOptions.DEFAULT)).satisfies((thrown) -> {
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
			assertThat(GrpcErrors.from(thrown).reason()).hasValue("CIRCUIT_OPEN");
		});
		update("CLOSE");
		Echo.call(this.channel, CallOptions.DEFAULT);
	}

	private void update(String state) {
		assertThat(
				this.http.postForEntity("/actuator/circuitbreakers/" + NAME, Map.of("updateState", state), String.class)
					.getStatusCode()
					.is2xxSuccessful())
			.isTrue();
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Echo.class)
	static class Application {

	}

}
