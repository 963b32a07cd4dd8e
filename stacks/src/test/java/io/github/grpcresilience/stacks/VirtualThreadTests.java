package io.github.grpcresilience.stacks;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Threads of handlers, where Java has virtual ones and where it has none.
 */
class VirtualThreadTests {

	private static final boolean HAS_VIRTUAL_THREADS = Runtime.version().feature() >= 21;

	@Test
	void handlersRunOnVirtualThreadsWhereBothPropertiesSaySo() {
		try (ConfigurableApplicationContext server = new SpringApplicationBuilder(Threads.class)
			.web(WebApplicationType.NONE)
			.properties(Stack.SERVER_PORT + "=0", "spring.jmx.enabled=false", "spring.threads.virtual.enabled=true",
					"spring.datasource.url=jdbc:h2:mem:threads", "grpc.resilience.server.virtual-threads=true")
			.run()) {
			ManagedChannel channel = Grpc
				.newChannelBuilderForAddress("localhost", server.getBean(ServerPort.class).port(),
						InsecureChannelCredentials.create())
				.build();
			try {
				assertThat(Shop.call(channel, Shop.WORK, "").startsWith("VirtualThread"))
					.isEqualTo(HAS_VIRTUAL_THREADS);
			}
			finally {
				channel.shutdownNow();
			}
		}
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Threads {

		@Bean
		ServedShop shop() {
			return new ServedShop((request) -> Thread.currentThread().toString());
		}

		@Bean
		ServerPort port() {
			return new ServerPort();
		}

	}

}
