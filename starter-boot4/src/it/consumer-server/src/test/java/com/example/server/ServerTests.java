package com.example.server;

import io.github.grpcresilience.GrpcResilience;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import org.junit.jupiter.api.Test;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An application that serves and calls nobody.
 */
class ServerTests {

	@Test
	void servesWithoutClients() {
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.properties("spring.grpc.server.port=0")
			.run()) {
			assertThat(context.getBean(GrpcResilience.class).inspection().servedMethods()).isNotEmpty();
			assertThat(ClassUtils.isPresent("org.springframework.boot.grpc.client.autoconfigure.GrpcClientAutoConfiguration", null))
				.isFalse();
		}
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		BindableService service() {
			return () -> ServerServiceDefinition.builder("example.v1.Empty").build();
		}

	}

}
