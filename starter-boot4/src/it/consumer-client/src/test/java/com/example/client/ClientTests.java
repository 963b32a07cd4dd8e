package com.example.client;

import io.github.grpcresilience.GrpcResilience;
import org.junit.jupiter.api.Test;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.grpc.client.GrpcChannelFactory;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An application that calls others and serves nobody, without resilience4j.
 */
class ClientTests {

	@Test
	void opensNoPort() {
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.run()) {
			assertThat(context.getBean(GrpcChannelFactory.class).createChannel("billing")).isNotNull();
			GrpcResilience resilience = context.getBean(GrpcResilience.class);
			assertThat(resilience.inspection().attemptBudgets()).containsOnlyKeys("billing");
			assertThat(resilience.inspection().findings()).isEmpty();
			assertThat(ClassUtils.isPresent("org.springframework.boot.grpc.server.autoconfigure.GrpcServerAutoConfiguration", null))
				.isFalse();
			assertThat(ClassUtils.isPresent("io.github.resilience4j.circuitbreaker.CircuitBreaker", null)).isFalse();
		}
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

	}

}
