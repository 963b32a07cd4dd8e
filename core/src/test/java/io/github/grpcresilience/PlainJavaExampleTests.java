package io.github.grpcresilience;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.gate.resilience4j.BreakerInstances;
import io.github.grpcresilience.policy.MissingDeadline;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What docs/plain-java.md and docs/drain.md show.
 */
class PlainJavaExampleTests {

	private static GrpcResilience orders(CircuitBreakerRegistry breakers) {
		return GrpcResilience.builder()
			.service("orders")
			.server((server) -> server.maxDeadline(Duration.ofSeconds(30))
				.policy("reserve",
						(reserve) -> reserve.methods("shop.v1.Inventory/Reserve")
							.missingDeadline(MissingDeadline.REJECT)
							.maxDeadline(Duration.ofSeconds(1))
							.maxConcurrent(20)))
			.client((client) -> client.policy("reads",
					(reads) -> reads.clients("inventory")
						.methods("shop.v1.Inventory/Get", "shop.v1.Catalog")
						.idempotent()
						.defaultDeadline(Duration.ofMillis(300))
						.circuitBreaker("inventory")
						.retry((retry) -> retry.maxAttempts(3).attemptTimeout(Duration.ofMillis(100)))))
			.gates(new BreakerInstances(() -> breakers))
			.build();
	}

	@Test
	void serverAndClientAreProtected() throws IOException, InterruptedException {
		CircuitBreakerRegistry breakers = CircuitBreakerRegistry.ofDefaults();
		breakers.circuitBreaker("inventory");
		GrpcResilience resilience = orders(breakers);
		NettyServerBuilder builder = NettyServerBuilder.forPort(0).addService(new Shop().unary(Shop::echo));
		resilience.protect(builder);
		Server server = builder.build().start();
		resilience.learn(server);
		ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
			.usePlaintext()
			.intercept(resilience.client("inventory"))
			.build();
		resilience.learn("inventory", channel);
		assertThat(Loopback.call(channel, Loopback.within(9_070), "x")).isEqualTo("x");
		assertThat(resilience.inspection().findings()).extracting(Finding::subject)
			.contains("shop.v1.Inventory/Reserve");
		HealthStatusManager health = new HealthStatusManager();
		health.enterTerminalState();
		resilience.drain().shutdown(server);
		channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
		resilience.close();
		assertThat(server.isTerminated()).isTrue();
	}

}
