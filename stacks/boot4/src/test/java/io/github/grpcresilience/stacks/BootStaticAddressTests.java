package io.github.grpcresilience.stacks;

import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import io.github.grpcresilience.autoconfigure.stack.StaticAddresses;
import io.github.grpcresilience.test.FaultyServer;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Targets with several addresses, where the library is switched off.
 */
class BootStaticAddressTests {

	private static ConfigurableApplicationContext off(String... target) {
		return new SpringApplicationBuilder(Harbor.class).web(WebApplicationType.NONE)
			.properties(Stream
				.concat(Stream.of(target),
						Stream.of("grpc.resilience.enabled=false", Stack.SERVER_PORT + "=0", "spring.jmx.enabled=false",
								Stack.WITHOUT_DATABASE))
				.toArray(String[]::new))
			.run();
	}

	@Test
	void goOnToWorkWhereAPropertyNamesThem() {
		try (FaultyServer server = FaultyServer.start();
				ConfigurableApplicationContext application = off(Stack.client("next", server.port(), server.port()))) {
			assertThat(Shop.call(Stack.channel(application, "next"), Shop.REMAINING, "x")).isEqualTo("x");
		}
	}

	@Test
	void nothingIsRegisteredElsewhere() {
		try (ConfigurableApplicationContext application = off(
				"spring.grpc.client.channel.next.target=static://127.0.0.1:1")) {
			assertThat(application.getBeansOfType(StaticAddresses.Registration.class)).isEmpty();
		}
	}

}
