package io.github.grpcresilience.stacks;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mockito.BDDMockito;
import org.mockito.Mockito;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.grpc.client.ChannelBuilderOptions;
import org.springframework.grpc.client.GrpcChannelFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class BootRestartTests {

	@ParameterizedTest
	@CsvSource({ "enforce, true", "observe, false" })
	void channelIsKnownThatAttemptsWaitFor(String mode, boolean known) {
		try (ConfigurableApplicationContext client = new SpringApplicationBuilder(Client.class)
			.web(WebApplicationType.NONE)
			.run("--spring.grpc.server.enabled=false", "--spring.jmx.enabled=false",
					"--spring.datasource.url=jdbc:h2:mem:restart", "--grpc.resilience.mode=" + mode,
					"--grpc.resilience.client.policies.p.methods=test.v1.Shop/Work",
					"--grpc.resilience.client.policies.p.idempotent=true",
					"--grpc.resilience.client.policies.p.retry.max-attempts=3")) {
			ManagedChannel channel = client.getBean(GrpcChannelFactory.class)
				.createChannel("nowhere", ChannelBuilderOptions.defaults());
			for (int i = 0; i < 2; i++) {
				assertThat(Status.fromThrowable(catchThrowable(() -> Shop.call(channel, Shop.WORK, ""))).getCode())
					.isEqualTo(Status.Code.UNAVAILABLE);
			}
			BDDMockito.then(channel)
				.should(known ? Mockito.atLeastOnce() : Mockito.never())
				.resetConnectBackoff();
			channel.shutdownNow();
		}
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Client {

		@Bean
		Factory channels() {
			return new Factory();
		}

	}

	/** Makes channels that remember what was asked of them, to where nobody listens. */
	static class Factory implements GrpcChannelFactory {

		@Override
		public boolean supports(String target) {
			return true;
		}

		@Override
		public ManagedChannel createChannel(String target, ChannelBuilderOptions options) {
			return Mockito.spy(Grpc.newChannelBuilderForAddress("127.0.0.1", 1, InsecureChannelCredentials.create())
				.intercept(options.interceptors())
				.build());
		}

	}

}
