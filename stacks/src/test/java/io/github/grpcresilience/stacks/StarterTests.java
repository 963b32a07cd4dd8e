package io.github.grpcresilience.stacks;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;

import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.DefaultResourceLoader;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * Starters that are for another Spring Boot, and applications without any.
 */
@ExtendWith(OutputCaptureExtension.class)
class StarterTests {

	@Test
	void starterOfAnotherSpringBootFailsTheStartAndNamesTheRightOne(@TempDir Path starter, CapturedOutput output)
			throws IOException {
		try (URLClassLoader loader = withMarker(starter, "9.9")) {
			assertThatException().isThrownBy(() -> application(loader).run());
		}
		assertThat(output).contains("the-starter is for Spring Boot 9.9, and this application runs on Spring Boot "
				+ SpringBootVersion.getVersion() + ": depend on " + Stack.STARTER + " instead");
	}

	@Test
	void starterOfAnotherSpringBootIsNobodysBusinessWhereTheLibraryIsOff(@TempDir Path starter) throws IOException {
		try (URLClassLoader loader = withMarker(starter, "9.9");
				ConfigurableApplicationContext application = application(loader)
					.properties("grpc.resilience.enabled=false")
					.run()) {
			assertThat(application.isActive()).isTrue();
		}
	}

	@Test
	void servicesThatNoStackServesAreToldInsteadOfBeingOn(CapturedOutput output) {
		try (ConfigurableApplicationContext application = application(getClass().getClassLoader()).run()) {
			assertThat(application.getBeansOfType(BindableService.class)).isNotEmpty();
		}
		assertThat(output).contains("NO_STACK server").doesNotContain("gRPC Resilience is on");
	}

	@Test
	void servicesThatTheApplicationProtectsItselfAreOn(CapturedOutput output) {
		try (ConfigurableApplicationContext application = application(getClass().getClassLoader())
			.sources(ServerOfItsOwn.class)
			.run()) {
			assertThat(application.getBean(Server.class).isShutdown()).isFalse();
		}
		assertThat(output).contains("gRPC Resilience is on").doesNotContain("NO_STACK");
	}

	private static SpringApplicationBuilder application(ClassLoader loader) {
		return new SpringApplicationBuilder(Alone.class).web(WebApplicationType.NONE)
			.properties("spring.jmx.enabled=false")
			.resourceLoader(new DefaultResourceLoader(loader));
	}

	private static URLClassLoader withMarker(Path starter, String springBoot) throws IOException {
		Path marker = Files.createDirectory(starter.resolve("META-INF")).resolve("grpc-resilience-starter.properties");
		Files.writeString(marker, "artifact=the-starter\nspring-boot=" + springBoot + "\n");
		return new URLClassLoader(new URL[] { starter.toUri().toURL() }, StarterTests.class.getClassLoader());
	}

	/**
	 * Has the library and a service, and none of the stacks.
	 */
	@SpringBootConfiguration(proxyBeanMethods = false)
	@ImportAutoConfiguration(GrpcResilienceAutoConfiguration.class)
	static class Alone {

		@Bean
		BindableService shop() {
			return new Shop((request) -> request);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ServerOfItsOwn {

		@Bean(destroyMethod = "shutdownNow")
		Server server(GrpcResilience resilience, BindableService shop) {
			ServerBuilder<?> server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
				.addService(shop);
			resilience.protect(server);
			return server.build();
		}

	}

}
