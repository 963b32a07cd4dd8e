package io.github.grpcresilience.autoconfigure.edge;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.web.reactive.WebFluxAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.WebMvcAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.mock.env.MockEnvironment;
import org.springframework.web.servlet.DispatcherServlet;

import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.edge.reactive.WebFluxEdgeAutoConfiguration;
import io.github.grpcresilience.autoconfigure.edge.servlet.WebMvcEdgeAutoConfiguration;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.autoconfigure.properties.PropertiesBinder;
import io.github.grpcresilience.policy.PolicyFault;

import static org.assertj.core.api.Assertions.assertThat;

class EdgeAutoConfigurationTests {

	private static final AutoConfigurations EDGE = AutoConfigurations.of(GrpcResilienceAutoConfiguration.class,
			WebMvcEdgeAutoConfiguration.class, WebFluxEdgeAutoConfiguration.class);

	private final WebApplicationContextRunner servlet = new WebApplicationContextRunner().withConfiguration(EDGE)
		.withConfiguration(AutoConfigurations.of(WebMvcAutoConfiguration.class));

	private final ReactiveWebApplicationContextRunner reactive = new ReactiveWebApplicationContextRunner()
		.withConfiguration(EDGE)
		.withConfiguration(AutoConfigurations.of(WebFluxAutoConfiguration.class));

	@Test
	void eachStackHasItsOwnPart() {
		this.servlet.run((context) -> assertThat(context).hasNotFailed()
			.hasBean("grpcResilienceEdgeFilter")
			.hasBean("grpcResilienceEdgeAdvice")
			.doesNotHaveBean("grpcResilienceEdgeWebFilter"));
		this.reactive.run((context) -> assertThat(context).hasNotFailed()
			.hasBean("grpcResilienceEdgeWebFilter")
			.hasBean("grpcResilienceEdgeExceptionHandler")
			.doesNotHaveBean("grpcResilienceEdgeFilter"));
		new ApplicationContextRunner().withConfiguration(EDGE)
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(HttpEdge.class));
	}

	@Test
	void absentWhereItIsSwitchedOff() {
		for (String property : List.of("grpc.resilience.edge.enabled=false", "grpc.resilience.enabled=false")) {
			this.servlet.withPropertyValues(property)
				.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(HttpEdge.class));
			this.reactive.withPropertyValues(property)
				.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(HttpEdge.class));
		}
	}

	@Test
	void mvcPartNeedsMvc() {
		this.servlet.withClassLoader(new FilteredClassLoader(DispatcherServlet.class.getPackageName()))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(HttpEdge.class));
	}

	@Test
	void beansOfTheSameNameReplaceOurs() {
		this.servlet.withBean("grpcResilienceEdgeFilter", String.class, () -> "own")
			.withBean("grpcResilienceEdgeAdvice", String.class, () -> "own")
			.run((context) -> assertThat(context).hasNotFailed()
				.getBean("grpcResilienceEdgeFilter")
				.isEqualTo(context.getBean("grpcResilienceEdgeAdvice"))
				.isEqualTo("own"));
		this.reactive.withBean("grpcResilienceEdgeWebFilter", String.class, () -> "own")
			.withBean("grpcResilienceEdgeExceptionHandler", String.class, () -> "own")
			.run((context) -> assertThat(context).hasNotFailed()
				.getBean("grpcResilienceEdgeWebFilter")
				.isEqualTo(context.getBean("grpcResilienceEdgeExceptionHandler"))
				.isEqualTo("own"));
	}

	@Test
	void observeLeavesRequestsAlone() {
		this.servlet.withPropertyValues("grpc.resilience.mode=observe")
			.run((context) -> assertThat(context.getBean(HttpEdge.class).isExempt(null, () -> {
				throw new AssertionError("no need to look at the path");
			})).isTrue());
	}

	@Test
	void everyFaultIsFound() {
		MockEnvironment environment = new MockEnvironment();
		environment.setProperty("grpc.resilience.edge.default-budget", "0s");
		environment.setProperty("grpc.resilience.edge.max-budget", "-7ms");
		environment.setProperty("grpc.resilience.edge.deadline-headers", "grpc-timeout,bad name,Host");
		environment.setProperty("grpc.resilience.edge.format", "xml");
		environment.setProperty("grpc.resilience.edge.status-codes.ok", "404");
		environment.setProperty("grpc.resilience.edge.status-codes.NOT_THERE", "404");
		environment.setProperty("grpc.resilience.edge.status-codes.ABORTED", "200");
		environment.setProperty("grpc.resilience.edge.status-codes.INTERNAL", "many");
		environment.setProperty("grpc.resilience.edge.reasons.SOLD_OUT", "600");
		environment.setProperty("grpc.resilience.edge.exempt-paths", "reports,/a/{b");
		BoundProperties bound = PropertiesBinder.bind(environment);
		List<PolicyFault> faults = new ArrayList<>(bound.faults());
		faults.addAll(EdgeFaults.of(bound));
		assertThat(faults).extracting(PolicyFault::value)
			.containsExactlyInAnyOrder("0", "-7ms", "bad name", "Host", "xml", "404", "404", "200", "many", "600",
					"reports", "/a/{b");
		assertThat(faults).allSatisfy((fault) -> assertThat(fault.remedy()).isNotBlank());
	}

	@Test
	void maxBelowDefaultIsAFault() {
		MockEnvironment environment = new MockEnvironment();
		environment.setProperty("grpc.resilience.edge.max-budget", "3s");
		assertThat(EdgeFaults.of(PropertiesBinder.bind(environment))).isEmpty();
		environment.setProperty("grpc.resilience.edge.default-budget", "3100ms");
		assertThat(EdgeFaults.of(PropertiesBinder.bind(environment))).singleElement().satisfies((fault) -> {
			assertThat(fault.property()).isEqualTo("grpc.resilience.edge.default-budget");
			assertThat(fault.rule()).contains("3s");
		});
	}

	@Test
	void faultFailsTheStart() {
		this.servlet.withPropertyValues("grpc.resilience.edge.status-codes.NOT_FOUND=99")
			.run((context) -> assertThat(context).hasFailed());
	}

}
