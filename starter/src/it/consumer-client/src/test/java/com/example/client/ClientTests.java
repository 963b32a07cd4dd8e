package com.example.client;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.policy.InvalidPolicyException;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelFactory;
import org.junit.jupiter.api.Test;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * An application that calls others and serves nobody, without resilience4j.
 */
class ClientTests {

	private static final String POLICY = "--grpc.resilience.client.policies.billing.";

	@Test
	void opensNoPort() {
		try (ConfigurableApplicationContext context = start()) {
			assertThat(context.getBean(GrpcChannelFactory.class).createChannel("billing")).isNotNull();
			assertThat(context.getBean(GrpcResilience.class).inspection().findings()).isEmpty();
			assertThat(context.getBeanNamesForType(io.grpc.Server.class)).isEmpty();
			assertThat(ClassUtils.isPresent("net.devh.boot.grpc.server.service.GrpcService", null)).isFalse();
			assertThat(ClassUtils.isPresent("io.github.resilience4j.circuitbreaker.CircuitBreaker", null)).isFalse();
		}
	}

	@Test
	void policyThatNeedsWhatWasExcludedSaysSo() {
		assertThatThrownBy(() -> start(POLICY + "methods=shop.v1.Billing", POLICY + "circuit-breaker.instance=billing"))
			.extracting(NestedExceptionUtils::getMostSpecificCause)
			.isInstanceOfSatisfying(InvalidPolicyException.class,
					(ex) -> assertThat(ex).hasMessageContaining("circuit-breaker.instance")
						.hasMessageContaining("io.github.resilience4j:resilience4j-spring-boot3"));
	}

	private static ConfigurableApplicationContext start(String... arguments) {
		return new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE).run(arguments);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

	}

}
