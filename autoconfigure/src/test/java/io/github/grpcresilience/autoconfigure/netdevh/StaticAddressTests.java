package io.github.grpcresilience.autoconfigure.netdevh;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import io.grpc.Channel;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.tracing.propagation.Propagator;
import io.micrometer.tracing.test.simple.SimpleTracer;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A client of two servers, as net.devh's documentation writes it, beside Micrometer's
 * observation.
 */
class StaticAddressTests {

	private final Set<Server> servers = new HashSet<>();

	private final Set<String> reached = ConcurrentHashMap.newKeySet();

	@AfterEach
	void stop() {
		this.servers.forEach(Server::shutdownNow);
	}

	@ParameterizedTest
	@ValueSource(strings = { "true", "false" })
	void everyAddressIsCalled(String enabled) throws IOException {
		String addresses = "static://127.0.0.1:" + server("one") + ",127.0.0.1:" + server("two");
		try (ConfigurableApplicationContext context = start(addresses, enabled)) {
			Channel channel = context.getBean(GrpcChannelFactory.class).createChannel("pair");
			for (int i = 0; i < 200 && this.reached.size() < 2; i++) {
				assertThat(HealthGrpc.newBlockingStub(channel)
					.withWaitForReady()
					.withDeadlineAfter(20, TimeUnit.SECONDS)
					.check(HealthCheckRequest.getDefaultInstance())
					.getStatus()).isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
			}
			assertThat(this.reached).containsExactlyInAnyOrder("one", "two");
			assertThat(channel.authority()).matches("127\\.0\\.0\\.1:\\d+");
		}
	}

	@Test
	void oneAddressIsNetDevhs() throws IOException {
		try (ConfigurableApplicationContext context = start("static://127.0.0.1:" + server("one"), "true")) {
			assertThat(context.getBeansOfType(NetDevhStaticAddressAutoConfiguration.Rewriter.class)).isEmpty();
		}
	}

	private static ConfigurableApplicationContext start(String addresses, String enabled) {
		return new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE)
			.run("--grpc.server.port=-1", "--grpc.client.pair.address=" + addresses,
					"--grpc.client.pair.negotiation-type=plaintext", "--grpc.resilience.enabled=" + enabled,
					"--management.tracing.enabled=true");
	}

	private int server(String name) throws IOException {
		Server server = NettyServerBuilder.forPort(0).addService(new HealthGrpc.HealthImplBase() {

			@Override
			public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> observer) {
				StaticAddressTests.this.reached.add(name);
				observer.onNext(
						HealthCheckResponse.newBuilder().setStatus(HealthCheckResponse.ServingStatus.SERVING).build());
				observer.onCompleted();
			}

		}).build().start();
		this.servers.add(server);
		return server.getPort();
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(exclude = { DataSourceAutoConfiguration.class, HibernateJpaAutoConfiguration.class })
	static class Application {

		@Bean
		SimpleTracer tracer() {
			return new SimpleTracer();
		}

		@Bean
		Propagator propagator() {
			return Propagator.NOOP;
		}

	}

}
